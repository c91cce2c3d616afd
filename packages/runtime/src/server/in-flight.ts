/** What is being worked on, so that a process can end when it is done, or end it when the time is over. */
export class InFlight {
  readonly #running = new Set<AbortController>()
  #idle: (() => void) | undefined
  #draining = false

  get draining(): boolean {
    return this.#draining
  }

  get count(): number {
    return this.#running.size
  }

  /** Counts one piece of work; its `end` must be called once. */
  begin(): { controller: AbortController; end: () => void } {
    const controller = new AbortController()
    this.#running.add(controller)
    return {
      controller,
      end: () => {
        this.#running.delete(controller)
        if (this.#running.size === 0) this.#idle?.()
      },
    }
  }

  /**
   * Waits until nothing is left, `withinMs` at most. What is left is aborted with the reason, and has `answerMs` to say so to
   * whoever waits for it. Gives how many were aborted.
   */
  async drain(withinMs: number, answerMs: number, reason: Error): Promise<number> {
    this.#draining = true
    await this.#untilIdle(withinMs)
    const left = this.#running.size
    for (const controller of this.#running) controller.abort(reason)
    await this.#untilIdle(answerMs)
    return left
  }

  async #untilIdle(withinMs: number): Promise<void> {
    if (this.#running.size === 0) return
    const idle = Promise.withResolvers<void>()
    this.#idle = idle.resolve
    const timer = setTimeout(idle.resolve, withinMs)
    await idle.promise
    clearTimeout(timer)
  }
}

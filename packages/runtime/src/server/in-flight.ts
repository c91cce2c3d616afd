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

  /** Waits until nothing is left, at most that long; what is left is aborted with the reason. Gives how many were. */
  async drain(withinMs: number, reason: Error): Promise<number> {
    this.#draining = true
    if (this.#running.size > 0) {
      const idle = Promise.withResolvers<void>()
      this.#idle = idle.resolve
      const timer = setTimeout(idle.resolve, withinMs)
      await idle.promise
      clearTimeout(timer)
    }
    const left = this.#running.size
    for (const controller of this.#running) controller.abort(reason)
    return left
  }
}

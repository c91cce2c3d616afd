/** Rings wake whoever listened before; a ring that nobody listened to is kept for the next listener. */
export class Bell {
  #rung = false
  #ring: () => void = () => {}

  listen(): Promise<void> {
    if (this.#rung) {
      this.#rung = false
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      this.#ring = () => {
        this.#ring = () => {}
        resolve()
      }
    })
  }

  ring(): void {
    const waiting = this.#ring
    this.#rung = true
    waiting()
  }
}

/** Writes a failure of work that nobody waits for into host.log; what called it goes on. */
export function report(what: string): (error: unknown) => void {
  return (error) => console.error(new Date().toISOString(), `${what} failed:`, error)
}

/**
 * Runs the work of a timer or an event listener. A throw there would end the daemon, and with it the way to every worker:
 * one full disk or one broken process is no reason for that.
 */
export function guarded(what: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    report(what)(error)
  }
}

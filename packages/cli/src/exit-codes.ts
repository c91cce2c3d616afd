/** What a shell learns from `landfall`. Documented in every `--help`. */
export const exitCodes = { done: 0, failed: 1, usage: 2, waits: 3, wentBack: 4 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Ends a command with another code than 0 after it has printed what it had to say. */
export class Exit extends Error {
  readonly exitCode: ExitCode
  constructor(exitCode: ExitCode) {
    super(`exit ${exitCode}`)
    this.exitCode = exitCode
  }
}

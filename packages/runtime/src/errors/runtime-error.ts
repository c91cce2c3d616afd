/** An error of the runtime: a stable code (documented at `docs/errors/CODE.md`), what happened, and what to do. */
export class RuntimeError extends Error {
  readonly code: string
  readonly hint: string
  /** Whether the same call may succeed later without a change by a person. */
  readonly retryable: boolean

  constructor(options: { code: string; message: string; hint: string; retryable?: boolean; cause?: unknown }) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'RuntimeError'
    this.code = options.code
    this.hint = options.hint
    this.retryable = options.retryable ?? false
  }

  static is(value: unknown, code?: string): value is RuntimeError {
    return value instanceof RuntimeError && (code === undefined || value.code === code)
  }
}

/**
 * The one error type of Landfall. `code` is stable, upper-case with underscores (`E_SEQUENCE_OLDER`), documented at
 * `docs/errors/CODE.md`; `message` says what happened; `hint` says what to do. None of them may hold a secret.
 */
export class LandfallError extends Error {
  readonly code: string
  readonly hint: string
  /** Whether the same call may succeed later without a change by a person. The loop decides when; callers never retry themselves. */
  readonly retryable: boolean
  /** What the error is about, such as `resource:api` or `step:3`. */
  readonly subject: string | undefined
  /** More problems of the same kind found in one pass, for input with several mistakes. */
  readonly problems: readonly Problem[]

  constructor(options: {
    code: string
    message: string
    hint: string
    retryable?: boolean
    subject?: string
    problems?: readonly Problem[]
    cause?: unknown
  }) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'LandfallError'
    this.code = options.code
    this.hint = options.hint
    this.retryable = options.retryable ?? false
    this.subject = options.subject
    this.problems = options.problems ?? []
  }

  static is(value: unknown, code?: string): value is LandfallError {
    return value instanceof LandfallError && (code === undefined || value.code === code)
  }
}

export interface Problem {
  /** JSON-pointer-like path, such as `resources.api.rollout.steps[1].share`. */
  path: string
  message: string
}

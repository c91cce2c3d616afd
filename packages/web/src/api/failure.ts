/** What a person is told of an error: what happened, the stable code, what to do, and which fields are meant. */
export interface Failure {
  code: string
  message: string
  hint: string
  problems: readonly { path: string; message: string }[]
}

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)

/** Reads any thrown value; one that carries no code is a mistake of the page itself. */
export function failureOf(error: unknown): Failure {
  const from: Partial<Record<keyof Failure, unknown>> = error !== null && typeof error === 'object' ? error : {}
  const code = text(from.code)
  if (!code || code === 'ABORT_ERR') {
    return {
      code: 'E_PAGE',
      message: text(from.message) ?? 'Something went wrong in this page.',
      hint: 'Reload the page; if it stays, tell whoever runs this Landfall.',
      problems: [],
    }
  }
  return {
    code,
    message: text(from.message) ?? 'The manager refused.',
    hint: text(from.hint) ?? '',
    problems: Array.isArray(from.problems) ? (from.problems as Failure['problems']) : [],
  }
}

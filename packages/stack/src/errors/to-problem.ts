import { LandfallError, type Problem } from './landfall-error.ts'

/** RFC 9457 problem details, with the members that every error of Landfall has. */
export interface ProblemDocument {
  /** A stable address that documents the code. */
  type: string
  title: string
  detail: string
  code: string
  hint: string
  retryable: boolean
  status?: number
  subject?: string
  problems?: readonly Problem[]
}

/**
 * An error as a plain object for the wire. An unknown error becomes `E_INTERNAL` without its text, because it may hold
 * anything, a secret too; whoever catches it logs it where only the operator reads.
 */
export function toProblem(error: unknown, status?: number): ProblemDocument {
  const known = LandfallError.is(error)
  const code = known ? error.code : 'E_INTERNAL'
  return {
    type: `https://landfall.dev/errors/${code}`,
    title: known ? titleOf(code) : 'Internal error',
    detail: known ? error.message : 'Something went wrong inside.',
    code,
    hint: known ? error.hint : 'Try again; if it stays, look into the log of the process that answered.',
    retryable: known && error.retryable,
    ...(status === undefined ? {} : { status }),
    ...(known && error.subject !== undefined ? { subject: error.subject } : {}),
    ...(known && error.problems.length > 0 ? { problems: error.problems } : {}),
  }
}

/** `E_STACK_INVALID` → `Stack invalid`. */
const titleOf = (code: string) => {
  const words = code.replace(/^E_/, '').toLowerCase().replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

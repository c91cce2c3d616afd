import { LandfallError, toProblem } from '@landfall/stack'
import { statusOf } from './status-of.ts'

/** A refusal as RFC 9457 problem document. */
export function problemAnswer(error: LandfallError, requestId: string): Response {
  const status = statusOf(error)
  const headers = new Headers({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
  if (status === 401) headers.set('www-authenticate', 'Bearer realm="landfall"')
  if (status === 429 || status === 503) headers.set('retry-after', '1')
  return new Response(JSON.stringify({ ...toProblem(error, status), requestId }), { status, headers })
}

/** Errors of PostgreSQL by SQLSTATE that are answers and not accidents (PostgreSQL manual, appendix A). */
const known: Readonly<Record<string, () => LandfallError>> = {
  '23505': () => conflict('Something with this name was made at the same moment.'),
  '23503': () => conflict('What this refers to was deleted at the same moment, or is still used.'),
  '40001': () => busy('Two changes met; this one was not made.'),
  '40P01': () => busy('Two changes met; this one was not made.'),
  '55P03': () => busy('Another change holds this; this one was not made.'),
  '57014': () => busy('The database took too long.'),
  '22021': () => text(),
  '22P05': () => text(),
}

/** What an error that is not ours becomes for the caller; null when it is an accident of this process. */
export function knownFailure(error: unknown): LandfallError | null {
  if (LandfallError.is(error)) return error
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (known[code]) return known[code]()
  const unreachable = /^(08|57P0|53)/.test(code) || ['ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(code)
  const lost =
    error instanceof Error && /timeout exceeded when trying to connect|Connection terminated/.test(error.message)
  return unreachable || lost ? busy('The database does not answer.') : null
}

function conflict(message: string): LandfallError {
  return new LandfallError({
    code: 'E_CONFLICT',
    message,
    hint: 'Read it again, then repeat the call if it still makes sense.',
  })
}
function busy(message: string): LandfallError {
  return new LandfallError({
    code: 'E_BUSY',
    message,
    hint: 'Repeat the call with the same Idempotency-Key.',
    retryable: true,
  })
}
function text(): LandfallError {
  return new LandfallError({
    code: 'E_INVALID_REQUEST',
    message: 'The request holds a character that text cannot have, such as NUL.',
    hint: 'Remove it.',
  })
}

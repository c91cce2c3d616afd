import { LandfallError } from '@landfall/stack'

const statuses: Readonly<Record<string, number>> = {
  E_INVALID_REQUEST: 400,
  E_UNAUTHENTICATED: 401,
  E_FORBIDDEN: 403,
  E_NOT_FOUND: 404,
  E_BUNDLE_NOT_FOUND: 404,
  E_NOTHING_WAITS: 409,
  E_SEQUENCE_OLDER: 409,
  E_KEYSET_OLDER: 409,
  E_BODY_TOO_LARGE: 413,
  E_INTERNAL: 500,
  E_DISK_FULL: 507,
}

/** HTTP status of a refusal: as the manager's, 422 for what was understood and refused, 503 where it may pass later. */
export function statusOf(error: unknown): number {
  if (!LandfallError.is(error)) return 500
  return statuses[error.code] ?? (error.retryable ? 503 : 422)
}

import type { LandfallError } from '@landfall/stack'

/** HTTP status by code; what is not named is 422 (understood, and refused), or 503 where the error says it may pass. */
const statuses: Readonly<Record<string, number>> = {
  E_INVALID_REQUEST: 400,
  E_UNAUTHENTICATED: 401,
  E_TOKEN_INVALID: 401,
  E_TOKEN_EXPIRED: 401,
  E_TOKEN_REVOKED: 401,
  E_LOGIN_FAILED: 401,
  E_SESSION_ENDED: 401,
  E_FORBIDDEN: 403,
  E_CSRF: 403,
  E_REPORT_FOREIGN: 403,
  E_ENROLMENT_REFUSED: 403,
  E_SESSION_REFUSED: 403,
  E_NOT_FOUND: 404,
  E_CONFLICT: 409,
  E_TARGET_CHANGED: 409,
  E_APPROVAL_AT_AGENT: 409,
  E_SETTING_AT_AGENT: 409,
  E_ACCESS_REVOKED: 409,
  E_COMMAND_BY_BUNDLE: 409,
  E_EXISTS: 409,
  E_IDEMPOTENCY_MISMATCH: 409,
  E_IDEMPOTENCY_RUNNING: 409,
  E_RELEASE_EXISTS: 409,
  E_SEQUENCE_OLDER: 409,
  E_KEYSET_OLDER: 409,
  E_MODEL: 409,
  E_AGENT_ENROLLED: 409,
  E_AGENT_NOT_ENROLLED: 409,
  E_AGENT_CLONED: 409,
  E_AUDIT_GAP: 409,
  E_AUDIT_BROKEN: 409,
  E_BODY_TOO_LARGE: 413,
  E_OTLP_TOO_LARGE: 413,
  E_OTLP_ENCODING: 415,
  E_OTLP_MALFORMED: 400,
  E_REPORT_INVALID: 400,
  E_MEDIA_TYPE: 415,
  E_TOO_MANY_ATTEMPTS: 429,
  E_THROTTLED: 429,
  E_INTERNAL: 500,
  E_DRAINING: 503,
}

/** The status of a refusal. */
export function statusOf(error: LandfallError): number {
  return statuses[error.code] ?? (error.retryable ? 503 : 422)
}

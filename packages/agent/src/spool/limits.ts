/** Bounds of a spool. */
export interface SpoolLimits {
  /** Payload bytes that are kept. */
  maxBytes: number
  /** Milliseconds that a payload is kept. */
  maxAgeMs: number
}

export const defaultSpoolLimits: SpoolLimits = { maxBytes: 64 * 1024 * 1024, maxAgeMs: 72 * 3_600_000 }

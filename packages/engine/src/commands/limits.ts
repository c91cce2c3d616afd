/** Bounds of a command, the same wherever it runs. */
export const commandLimits = {
  maxInputBytes: 262_144,
  maxResultBytes: 1_048_576,
  /** Of all attempts together: a command that floods its output floods no store. */
  maxOutputBytes: 1_048_576,
  /** Pieces of output, of all attempts together; a little room stays for what the loop itself writes. */
  maxOutputChunks: 500,
  /** Characters of one piece. */
  chunkLength: 16_384,
  maxAttempts: 10,
  backoffBaseMs: 1_000,
  backoffMaxMs: 30_000,
  /** A runner ends its own command at the deadline; this much later nobody can be about to. */
  expiryGraceMs: 10_000,
} as const

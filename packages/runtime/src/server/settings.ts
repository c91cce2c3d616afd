import { createHash } from 'node:crypto'
import { milliseconds, required, type Variables } from '../environment/environment.ts'

export interface Settings {
  host: string
  port: number
  tokenHash: Buffer
  timeoutMs: number
  graceMs: number
  healthPath: string
  maxBodyBytes: number
}

const standardBodyBytes = 32 * 1024 * 1024

/** @throws RuntimeError `E_NO_PLATFORM` */
export function settingsOf(variables: Variables, options: { maxBodyBytes?: number }): Settings {
  return {
    host: variables.LANDFALL_HOST ?? '127.0.0.1',
    port: Number(required(variables, 'PORT')),
    tokenHash: hashOf(required(variables, 'LANDFALL_TOKEN')),
    timeoutMs: milliseconds(variables, 'LANDFALL_TIMEOUT_MS', 30_000),
    graceMs: milliseconds(variables, 'LANDFALL_GRACE_MS', 10_000),
    healthPath: variables.LANDFALL_HEALTH_PATH ?? '/healthz',
    maxBodyBytes: options.maxBodyBytes ?? standardBodyBytes,
  }
}

/** Hashed, so that tokens of any length compare in constant time. */
export const hashOf = (token: string) => createHash('sha256').update(token).digest()

import { open, rm } from 'node:fs/promises'
import { LandfallError } from '@landfall/stack'
import { toJsonLine } from '@landfall/telemetry'
import type { Signal, Spool } from '../spool/spool.ts'

/** In memory at once. */
const page = { maxItems: 200, maxBytes: 4 * 1024 * 1024 }
const signals: readonly Signal[] = ['logs', 'metrics', 'traces']

/**
 * Writes what the spool holds as OTLP/JSON, one request a line, a file for each signal that has any, beside each other: `PREFIX.logs`.
 * Nothing leaves the spool. A payload that can't be read is left out: its sender was told so when it came.
 *
 * @throws LandfallError `E_DISK_FULL`
 */
export async function writeTelemetry(
  spool: Spool,
  prefix: string,
): Promise<{ files: Partial<Record<Signal, { file: string }>>; last: number }> {
  const handles = new Map<Signal, Awaited<ReturnType<typeof open>>>()
  const files: Partial<Record<Signal, { file: string }>> = {}
  let last = 0
  try {
    for (let items = spool.after(0, page); items.length > 0; items = spool.after(last, page)) {
      for (const { id, signal, encoding, body } of items) {
        last = id
        const line = lineOf(body, encoding, signal)
        if (line === null) continue
        const handle = handles.get(signal) ?? (await open(`${prefix}.${signal}`, 'w', 0o600))
        handles.set(signal, handle)
        files[signal] = { file: `${prefix}.${signal}` }
        await handle.writeFile(`${line}\n`)
      }
    }
    return { files, last }
  } catch (cause) {
    for (const signal of signals) await rm(`${prefix}.${signal}`, { force: true })
    throw full(cause)
  } finally {
    for (const handle of handles.values()) await handle.close()
  }
}

function lineOf(body: Uint8Array, encoding: 'json' | 'protobuf', signal: Signal): string | null {
  try {
    return toJsonLine(body, encoding, signal)
  } catch {
    return null
  }
}

function full(cause: unknown): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : ''
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return cause
  return new LandfallError({
    code: 'E_DISK_FULL',
    message: 'The export could not be written: the disk is full.',
    hint: 'Make room and make the export again. Nothing was lost.',
    retryable: true,
    cause,
  })
}

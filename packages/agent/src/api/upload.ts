import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { LandfallError } from '@landfall/stack'
import { invalid } from './read-body.ts'

/** A bundle's bound (64 GiB) and its headers. Bytes. */
const maxUploadBytes = 65 * 1024 ** 3

/** Where uploads lie until they are imported. What an earlier process left is taken away. */
export function uploadArea(data: string): string {
  const area = join(data, 'uploads')
  mkdirSync(area, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(area)) rmSync(join(area, name), { force: true })
  return area
}

/**
 * Streams a body into a file of the area; the caller deletes it. The sender says how long it is, so that one that broke off is not
 * taken for the whole.
 *
 * @throws LandfallError `E_INVALID_REQUEST`, `E_BODY_TOO_LARGE`, `E_DISK_FULL`
 */
export async function receive(request: IncomingMessage, area: string): Promise<string> {
  const length = Number(request.headers['content-length'] ?? Number.NaN)
  if (!Number.isSafeInteger(length)) throw invalid([{ path: 'content-length', message: 'must be given' }])
  if (length > maxUploadBytes) {
    throw new LandfallError({
      code: 'E_BODY_TOO_LARGE',
      message: `The upload has ${length} bytes; at most ${maxUploadBytes} are taken.`,
      hint: 'Put the file on the machine of the agent and import it by its path.',
    })
  }
  const file = join(area, `${randomUUID()}.bundle`)
  const handle = await open(file, 'wx', 0o600)
  try {
    for await (const part of request as AsyncIterable<Buffer>) await handle.writeFile(part)
  } catch (cause) {
    await handle.close()
    await rm(file, { force: true })
    throw full(cause, length)
  }
  await handle.close()
  return file
}

function full(cause: unknown, length: number): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : ''
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return cause
  return new LandfallError({
    code: 'E_DISK_FULL',
    message: `The upload (${length} bytes) does not fit on the disk of the agent.`,
    hint: 'Make room and send it again. By its path a bundle needs half the room: put the file on the machine of the agent.',
    retryable: true,
    cause,
  })
}

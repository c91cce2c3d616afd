import type { IncomingMessage } from 'node:http'
import { LandfallError, problemsOf } from '@landfall/stack'
import type { z } from 'zod'

/** A signed command is the largest body that is JSON. Bytes. */
export const maxJsonBytes = 4 * 1024 * 1024

/** Reads a bounded JSON body of this shape. @throws LandfallError `E_BODY_TOO_LARGE`, `E_INVALID_REQUEST` */
export async function readJson<T extends z.ZodType>(request: IncomingMessage, shape: T): Promise<z.output<T>> {
  const parts: Buffer[] = []
  let bytes = 0
  // Left open when it is refused, so that the refusal still gets out.
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    bytes += part.length
    if (bytes > maxJsonBytes) {
      throw new LandfallError({
        code: 'E_BODY_TOO_LARGE',
        message: `The request has more than ${maxJsonBytes} bytes.`,
        hint: 'Give a bundle by its path, or upload it.',
      })
    }
    parts.push(part)
  }
  let value: unknown = {}
  try {
    if (bytes > 0) value = JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch {
    throw invalid([])
  }
  const parsed = shape.safeParse(value)
  if (!parsed.success) throw invalid(problemsOf(parsed.error, value))
  return parsed.data
}

export function invalid(problems: readonly { path: string; message: string }[]): LandfallError {
  return new LandfallError({
    code: 'E_INVALID_REQUEST',
    message: 'The request is not what this call takes.',
    hint: 'See the description of the local API in packages/agent/README.md.',
    problems,
  })
}

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import type { Readable } from 'node:stream'
import { LandfallError } from '@landfall/stack'

export type LocalTarget = { socket: string } | { url: string; token: string }

interface Call {
  method: 'GET' | 'POST' | 'PUT'
  path: string
  body?: unknown
  upload?: { file: string }
  signal?: AbortSignal
}

/**
 * Calls the local API. Refusals are thrown as they were sent.
 *
 * @throws LandfallError `E_AGENT_UNREACHABLE`, and what the agent answers
 */
export function createLocalClient(target: LocalTarget) {
  return {
    async json<T>(call: Call): Promise<T> {
      return JSON.parse(await textOf(await send(target, call))) as T
    },

    /** An import: `onProgress` is told on the way. */
    async importing<T>(call: Call, onProgress: (done: number, total: number) => void): Promise<T> {
      let rest = ''
      const response = await send(target, call)
      response.setEncoding('utf8')
      for await (const chunk of whole(response, 'The agent ended in the middle of the import.')) {
        const lines = `${rest}${chunk}`.split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) {
          const { progress, problem, result } = JSON.parse(line)
          if (progress) onProgress(progress.done, progress.total)
          if (problem) throw refusal(problem)
          if (result) return result as T
        }
      }
      throw broken('The agent ended in the middle of the import.')
    },

    /** Bytes of an answer, with its headers. */
    async bytes(call: Call): Promise<{ headers: IncomingHttpHeaders; content: AsyncIterable<Uint8Array> }> {
      const response = await send(target, call)
      return { headers: response.headers, content: whole<Uint8Array>(response, endedInAnswer) }
    },
  }
}
export type LocalClient = ReturnType<typeof createLocalClient>

async function send(target: LocalTarget, call: Call): Promise<IncomingMessage> {
  const headers: Record<string, string | number> = {}
  let body: Readable | string | null = null
  if (call.upload) {
    headers['content-type'] = 'application/octet-stream'
    headers['content-length'] = (await stat(call.upload.file)).size
    body = createReadStream(call.upload.file)
  } else if (call.body !== undefined) {
    body = JSON.stringify(call.body)
    headers['content-type'] = 'application/json'
    headers['content-length'] = Buffer.byteLength(body)
  }
  const where = 'socket' in target ? { socketPath: target.socket } : { hostname: '127.0.0.1', port: portOf(target.url) }
  if ('token' in target) {
    headers.authorization = `Bearer ${target.token}`
    headers.host = `127.0.0.1:${portOf(target.url)}`
  }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(
      { ...where, method: call.method, path: call.path, headers, ...(call.signal && { signal: call.signal }) },
      resolve,
    )
    sent.once('error', (cause: NodeJS.ErrnoException) =>
      reject(call.signal?.aborted ? cause : unreachable(target, cause)),
    )
    if (body === null || typeof body === 'string') sent.end(body ?? undefined)
    else body.on('error', (cause) => sent.destroy(cause)).pipe(sent)
  })
  if ((response.statusCode ?? 0) < 300) return response
  throw refusal(JSON.parse((await textOf(response)) || '{}'))
}

const portOf = (url: string) => new URL(url).port

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  response.setEncoding('utf8')
  for await (const chunk of whole(response, endedInAnswer)) text += chunk
  return text
}

const endedInAnswer = 'The agent ended in the middle of its answer.'

/** An answer as it comes; one that is cut off says so in our words and not in those of the connection. */
async function* whole<T = string>(response: IncomingMessage, cut: string): AsyncGenerator<T> {
  try {
    for await (const chunk of response) yield chunk as T
  } catch {
    throw broken(cut)
  }
}

function refusal(problem: Record<string, unknown>): LandfallError {
  return new LandfallError({
    code: String(problem.code ?? 'E_UNEXPECTED_ANSWER'),
    message: String(problem.detail ?? 'What answered is not an agent.'),
    hint: String(problem.hint ?? 'Check --socket, --address and --data.'),
    retryable: problem.retryable === true,
    problems: Array.isArray(problem.problems) ? problem.problems : [],
  })
}

function broken(message: string): LandfallError {
  return new LandfallError({
    code: 'E_AGENT_UNREACHABLE',
    message,
    hint: 'Look whether it runs, and do it again: it goes on where it was.',
    retryable: true,
  })
}

function unreachable(target: LocalTarget, cause: NodeJS.ErrnoException): LandfallError {
  const where = 'socket' in target ? target.socket : target.url
  const denied = cause.code === 'EACCES' || cause.code === 'EPERM'
  return new LandfallError({
    code: 'E_AGENT_UNREACHABLE',
    message: `${denied ? 'You may not call the agent' : 'No agent answers'} at ${where} (${cause.code ?? cause.message}).`,
    hint: denied
      ? "Be the agent's user or in its group, such as by `sudo -u landfall-agent landfall agent …`."
      : 'Start it with `landfall agent run`, or say where it is with --data, --socket or --address.',
    retryable: !denied,
    cause,
  })
}

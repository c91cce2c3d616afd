import { setTimeout as sleep } from 'node:timers/promises'
import type { LogLine } from '../../shared/control.ts'
import { notFound } from '../../shared/errors.ts'
import { timeLeft } from '../../shared/time-left.ts'
import { type InvokeResult, invokeInstance } from '../events/invoke.ts'
import { leastBusy } from '../router/router.ts'
import { type Call, type Route, readJson } from './server.ts'

export interface InvokeRequest {
  version: string | null
  call: { command: string; id: string; attempt: number; input: unknown; deadline: number }
}

const maxEarly = 2_000
const maxUnread = 4 * 1024 * 1024
/** How long a command waits for an instance, within its deadline. */
const patienceMs = 10_000

export const streamRoutes: readonly Route[] = [
  { method: 'POST', path: /^\/v1\/workers\/([^/]+)\/invoke$/, handle: invoke },
  { method: 'GET', path: /^\/v1\/workers\/([^/]+)\/logs$/, handle: logs },
]

/** Answers NDJSON: `{ output }` lines as they come, then one `InvokeResult`. The caller ends it by going away. */
async function invoke({ host, request, response, parts: [name = ''] }: Call): Promise<undefined> {
  const { version, call } = await readJson<InvokeRequest>(request)
  const worker = host.workers.get(name)
  if (!worker) throw notFound(`worker ${name}`)
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(timeLeft(call.deadline, Date.now()))])
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  response.flushHeaders()
  const runnerOf = () => (version === null ? worker.commandVersion() : (worker.versions.get(version) ?? null))
  const patience = Date.now() + patienceMs
  let result: InvokeResult = {
    ok: false,
    error: { code: 'E_NO_INSTANCE', message: `No instance of ${name} is available.` },
  }
  while (!signal.aborted) {
    const runner = runnerOf()
    const instance = runner && leastBusy(runner.ready())
    if (instance) {
      const token = host.tokens.of(name, runner.spec.id)
      result = await invokeInstance(
        instance,
        token,
        { kind: 'command', ...call },
        {
          signal,
          async onOutput(output) {
            response.write(`${JSON.stringify({ output })}\n`)
            if (response.writableNeedDrain) await drained(response, signal)
          },
        },
      )
      break
    }
    if (Date.now() > patience) break
    await sleep(50, undefined, { signal }).catch(() => {})
  }
  response.end(`${JSON.stringify(result)}\n`)
}

/** Answers a `LogLine` per row: what is stored from `since` on, then, with `follow=1`, what comes. */
async function logs({ host, response, parts: [name = ''], query }: Call): Promise<undefined> {
  const worker = host.workers.get(name)
  if (!worker) throw notFound(`worker ${name}`)
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  response.flushHeaders()
  const since = Number(query.get('since') ?? 0)
  const follow = query.get('follow') === '1'
  let last = 0
  const send = (line: LogLine) => {
    if (line.n <= last) return
    last = line.n
    response.write(`${JSON.stringify(line)}\n`)
  }
  // What comes while the stored lines are sent; null once the reader has caught up.
  let early: LogLine[] | null = []
  let missed = false
  if (follow) {
    const unfollow = worker.log.follow((line) => {
      if (early === null) {
        send(line)
        // A reader that does not read is let go; it asks again from where it was.
        if (response.writableLength > maxUnread) response.destroy()
      } else if (early.length < maxEarly) early.push(line)
      else missed = true
    })
    response.once('close', unfollow)
  }
  do {
    missed = false
    early = []
    for (const line of await worker.log.read(since)) {
      if (response.writableNeedDrain) await drained(response)
      send(line)
    }
    for (let line = early.shift(); line; line = early.shift()) {
      if (response.writableNeedDrain) await drained(response)
      send(line)
    }
  } while (missed && !response.destroyed)
  early = null
  if (!follow) response.end()
}

/** Resolves when there is room again, when the reader has gone, or at the signal. */
function drained(response: Call['response'], signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve()
    signal?.addEventListener('abort', () => resolve(), { once: true })
    response.once('drain', resolve)
    response.once('close', resolve)
  })
}

import type { Clock } from '@landfall/engine'
import type { ChangeFeed, FeedMessage } from './feed.ts'

const encoder = new TextEncoder()
/** Events a slow client may be behind by, until it is told to read everything and is let go. */
const maxBehind = 1_000

/**
 * The feed of one project as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). Opens with
 * `hello`; `event: reset` tells that something was missed: read everything again. A comment every `heartbeatMs` keeps
 * proxies from closing it and finds dead clients.
 */
export function eventStream(
  feed: ChangeFeed,
  options: { project: string; lastEventId: string | null; clock: Clock; heartbeatMs?: number; signal: AbortSignal },
): ReadableStream<Uint8Array> {
  const ended = new AbortController()
  const signal = AbortSignal.any([options.signal, ended.signal])
  let stopListening = () => {}
  return new ReadableStream<Uint8Array>(
    {
      async start(controller) {
        const close = () => {
          if (ended.signal.aborted) return
          ended.abort()
          stopListening()
          controller.close()
        }
        options.signal.addEventListener('abort', close, { once: true })
        if (options.signal.aborted) return close()
        const write = (text: string) => {
          if (!ended.signal.aborted) controller.enqueue(encoder.encode(text))
        }
        const at = new Date(options.clock.now()).toISOString()
        write(`retry: 2000\ndata: ${JSON.stringify({ kind: 'hello', id: options.project, at })}\n\n`)
        stopListening = await feed.listen(options.project, options.lastEventId, (message) => {
          const behind = -(controller.desiredSize ?? 0)
          write(behind > maxBehind ? resetText(message.cursor) : textOf(message))
          if (behind > maxBehind) close()
        })
        if (signal.aborted) stopListening()
        else void heartbeat(options, signal, write)
      },
      cancel() {
        ended.abort()
        stopListening()
      },
    },
    { highWaterMark: 1 },
  )
}

async function heartbeat(
  options: { clock: Clock; heartbeatMs?: number },
  signal: AbortSignal,
  write: (text: string) => void,
): Promise<void> {
  try {
    for (;;) {
      await options.clock.sleep(options.heartbeatMs ?? 15_000, signal)
      write(': still here\n\n')
    }
  } catch {
    // The stream ended; that is how a heartbeat ends.
  }
}

const resetText = (cursor: string) => `id: ${cursor}\nevent: reset\ndata: {}\n\n`

/** Only the last event of an answer carries the cursor: a client that saw a part of it gets the whole again. */
function textOf(message: FeedMessage): string {
  if (message.kind === 'reset') return resetText(message.cursor)
  const last = message.changes.length - 1
  return message.changes
    .map(({ kind, id, at }, index) => {
      const data = JSON.stringify({ kind, id, at: at.toISOString() })
      return `${index === last ? `id: ${message.cursor}\n` : ''}data: ${data}\n\n`
    })
    .join('')
}

import type { Clock, Log } from '@landfall/engine'
import type { Pool, PoolClient } from 'pg'

export const topics = ['deployments', 'rollouts', 'commands', 'changes'] as const
/** What somebody may wait for. */
export type Topic = (typeof topics)[number]

export interface Waker {
  /** Tells every manager that there is something new; call it after the commit. Cheap, never fails, may be lost. */
  wake(...about: Topic[]): void
  /** Calls back on a wake-up from any manager, and after a connection that was lost is back. Returns how to stop. */
  on(topic: Topic, listener: () => void): () => void
  stop(): Promise<void>
}

const channel = 'landfall'
/** A NOTIFY takes a lock of the whole server at commit, so wake-ups of this long become one. */
const coalesceMs = 25
/** A connection that only listens would not notice that nobody is there any more. */
const pulseMs = 20_000

/**
 * Wake-ups between managers over LISTEN/NOTIFY. They only make things faster: every loop also looks at an interval, so a
 * lost one delays and loses nothing.
 */
export function createWaker(deps: { pool: Pool; clock: Clock; log: Log }): Waker {
  const { pool, clock, log } = deps
  const stopped = new AbortController()
  const listeners = new Map<Topic, Set<() => void>>(topics.map((topic) => [topic, new Set()]))
  const pending = new Set<Topic>()
  let sending: Promise<void> | null = null
  const emit = (topic: Topic) => {
    for (const listener of listeners.get(topic) ?? []) listener()
  }
  const send = async () => {
    await clock.sleep(coalesceMs, stopped.signal)
    const about = [...pending]
    pending.clear()
    await pool.query('select pg_notify($1, topic) from unnest($2::text[]) as topic', [channel, about])
  }
  const listening = listen(deps, stopped.signal, emit)
  return {
    wake: (...about) => {
      if (stopped.signal.aborted) return
      for (const topic of about) {
        emit(topic)
        pending.add(topic)
      }
      if (sending) return
      sending = send()
        .catch((error: unknown) => {
          if (!stopped.signal.aborted) log.warn('A wake-up was not sent', { error: String(error) })
        })
        .finally(() => {
          sending = null
        })
    },
    on: (topic, listener) => {
      listeners.get(topic)?.add(listener)
      return () => listeners.get(topic)?.delete(listener)
    },
    stop: async () => {
      stopped.abort(new Error('stopped'))
      await sending
      await listening
    },
  }
}

/** Keeps one connection listening; after each (re)connection everything is taken as new. */
async function listen(
  { pool, clock, log }: { pool: Pool; clock: Clock; log: Log },
  signal: AbortSignal,
  emit: (topic: Topic) => void,
): Promise<void> {
  for (let failures = 0; !signal.aborted; ) {
    let client: PoolClient | null = null
    try {
      client = await pool.connect()
      const over = new AbortController()
      const broken = waitForEnd(client, signal).finally(() => over.abort())
      // Where it breaks as it begins to listen, the query below tells it and nobody waits for this: unheard, it would end the process.
      broken.catch(() => {})
      client.on('notification', ({ payload }) => {
        const topic = topics.find((name) => name === payload)
        if (topic) emit(topic)
      })
      await client.query(`listen ${channel}`)
      failures = 0
      for (const topic of topics) emit(topic)
      await Promise.race([broken, pulse(client, clock, over.signal)])
    } catch (error) {
      if (!signal.aborted)
        log.warn('Listening for wake-ups broke off; loops go on by their intervals', { error: String(error) })
    } finally {
      // Never back into the pool: it still listens.
      client?.release(true)
    }
    failures = Math.min(failures + 1, 6)
    await clock.sleep(250 * 2 ** failures, signal).catch(() => {})
  }
}

/** Asks for nothing now and then; rejects when that fails. */
async function pulse(client: PoolClient, clock: Clock, signal: AbortSignal): Promise<void> {
  for (;;) {
    await clock.sleep(pulseMs, signal)
    await client.query('')
  }
}

function waitForEnd(client: PoolClient, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    // Not once: a broken connection tells so twice, and an error that nobody hears ends the process.
    client.on('error', reject)
    client.once('end', () => resolve())
    // Stopped while it connected: such a signal fires no more.
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

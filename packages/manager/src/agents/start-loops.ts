import type { Clock, Log } from '@landfall/engine'
import { sql } from 'kysely'
import { startLoop } from '../control/loop.ts'
import type { Waker } from '../control/waker.ts'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'
import type { AgentHub } from './hub/hub.ts'
import { fillBoxes } from './order/fill-boxes.ts'

const lookMs = 5_000
const rereadMs = 15_000
const boxesMs = 60_000
/** Between a few boxes and the next: a sixth of the thread's time at most. */
const betweenBoxesMs = 50

/** Keeps what the sync hub knows right: at once when woken, at an interval when not. Answers how to stop. */
export function startAgentLoops(deps: {
  hub: AgentHub
  db: Database
  keyring: Keyring
  clock: Clock
  log: Log
  waker: Pick<Waker, 'on'>
}): () => Promise<void> {
  const { hub, db, keyring, clock, log, waker } = deps
  const loop = (name: string, intervalMs: number, work: (signal: AbortSignal) => Promise<void>) =>
    startLoop({
      name,
      intervalMs,
      clock,
      log,
      work: async (signal) => {
        await work(signal)
        return false
      },
    })
  const orders = loop('agent-orders', lookMs, () => hub.look())
  const commands = loop('agent-commands', lookMs, () => hub.lookForCommands())
  const rest = loop('agents', rereadMs, async () => {
    await hub.reread()
    await flushSeen(hub, db)
  })
  const boxes = loop('sealed-boxes', boxesMs, async (signal) => {
    await fillBoxes(db, keyring, () => clock.sleep(betweenBoxesMs, signal))
  })
  // Not by `changes`: every report is one, and none of them asks anything of an agent.
  const deaf = [waker.on('deployments', () => orders.wake()), waker.on('commands', () => commands.wake())]
  return async () => {
    for (const stop of deaf) stop()
    await Promise.all([orders.stop(), commands.stop(), rest.stop(), boxes.stop()])
    await flushSeen(hub, db)
  }
}

/** Writes when agents were seen, in one statement for all. */
export async function flushSeen(hub: AgentHub, db: Database): Promise<void> {
  const seen = hub.takeSeen()
  if (seen.length === 0) return
  const ids = seen.map(([id]) => id)
  const times = seen.map(([, at]) => new Date(at).toISOString())
  await sql`update deployments set last_seen_at = seen.at
    from unnest(${ids}::text[], ${times}::timestamptz[]) as seen (id, at)
    where deployments.id = seen.id and (last_seen_at is null or last_seen_at < seen.at)`.execute(db)
}

import type { Clock, Log } from '@landfall/engine'
import { checkpointKey } from '../audit/checkpoint-key.ts'
import { writeCheckpoints } from '../audit/write-checkpoints.ts'
import { feedKeptMs } from '../changes/cursor.ts'
import { dropOldChanges } from '../changes/read-changes.ts'
import { dropOldCommands } from '../commands/drop-old-commands.ts'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'
import type { Days } from '../telemetry/days.ts'
import type { Forwarding } from '../telemetry/forward/forwarding.ts'
import type { Intake } from '../telemetry/intake.ts'
import { renewTelemetryTokens } from '../telemetry/telemetry-tokens.ts'
import { type Loop, startLoop } from './loop.ts'

/** A checkpoint after this many entries, or this long after the last where there was any. */
const everyEntries = 500
const everyMs = 3_600_000

/** What has to be done from time to time, by any manager; each is harmless when two do it at once. */
export function startMaintenance(deps: {
  db: Database
  clock: Clock
  log: Log
  keyring: Keyring
  days: Days
  forwarding: Forwarding
  telemetry: Pick<Intake, 'flushDrops'>
}): Loop[] {
  const { db, clock, log, days, forwarding, telemetry } = deps
  const key = checkpointKey(deps.keyring)
  const loop = (name: string, intervalMs: number, work: () => Promise<unknown>) =>
    startLoop({
      name,
      intervalMs,
      clock,
      log,
      work: async () => {
        await work()
        return false
      },
    })
  return [
    loop('audit-checkpoints', 60_000, () => writeCheckpoints(db, key, { now: clock.now(), everyEntries, everyMs })),
    loop('telemetry-days', 600_000, () => days.maintain(clock.now())),
    loop('telemetry-drops', 10_000, () => telemetry.flushDrops()),
    loop('forwarding-settings', 15_000, () => forwarding.refresh()),
    loop('change-feed-retention', 300_000, () => dropOldChanges(db, new Date(clock.now() - feedKeptMs))),
    loop('command-retention', 3_600_000, () => dropOldCommands(db, clock.now())),
    loop('telemetry-tokens', 3_600_000, () => renewTelemetryTokens(db, clock.now())),
  ]
}

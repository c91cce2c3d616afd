import { ChangeFeed } from '../../changes/feed.ts'
import { Days } from '../../telemetry/days.ts'
import { Forwarding } from '../../telemetry/forward/forwarding.ts'
import { Intake } from '../../telemetry/intake.ts'
import { Senders } from '../../telemetry/senders.ts'
import type { ApiControl, ControlDeps } from '../control.ts'

/** For tests of the API: the parts of `Control` that handlers use, with nothing running by itself. */
export function idleControl(
  deps: Pick<ControlDeps, 'db' | 'keyring' | 'clock' | 'random' | 'log'>,
): ApiControl & { forwarding: Forwarding } {
  const { db, clock } = deps
  const forwarding = new Forwarding(deps)
  return {
    changes: new ChangeFeed(deps),
    telemetry: new Intake({ db, clock, forwarding, days: new Days(db), senders: new Senders(db, clock) }),
    forwarding,
    metricsText: () => '',
    health: () => ({ ok: true, loops: [], running: { deployments: 0, commands: 0 } }),
  }
}

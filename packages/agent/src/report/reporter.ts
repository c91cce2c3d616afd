import type { Order, Report } from '@landfall/contract'
import type { Clock } from '@landfall/engine'
import type { AgentAudit } from '../audit/agent-audit.ts'
import type { SavedSetup } from '../identity/setup.ts'
import type { AgentCommands } from '../parts.ts'
import type { Problems } from '../problems.ts'
import type { Settings } from '../settings/settings.ts'
import type { Spool } from '../spool/spool.ts'
import type { AgentState } from '../state/agent-state.ts'
import type { AgentStore } from '../store/agent-store.ts'

/** A chain's links in one report: fewer than the contract allows where they are large. */
const maxLinks = 500
const maxLinkBytes = 2 * 1024 * 1024

export interface Reporter {
  /**
   * What the agent says of itself now, with the next number (durable before it is answered).
   *
   * @param after where the other side's copy of the agent's audit chain ends; null: send none
   */
  build(after: number | null): Report
  /** Agent's clock minus the manager's, as last seen; kept over a restart. Null: never compared. */
  clockOffsetMs(): number | null
  setClockOffset(ms: number): void
  /** The other side has seen this number: the next one is above it. */
  passed(number: number): void
  /** Where the other side's copy of the audit chain ends; null: it does not fit the chain here. */
  setCopy(number: number | null): void
  /** It is to be asked again. */
  forgetCopy(): void
  /** Whether a report would bring links that the other side lacks. */
  lags(): boolean
  /** For `build`: undefined before anything was heard. */
  copy(): number | null | undefined
}

export interface ReporterOptions {
  state: AgentState
  store: AgentStore
  audit: AgentAudit
  spool: Spool
  settings: Settings
  problems: Problems
  setup: SavedSetup
  clock: Pick<Clock, 'now'>
  version: string
  startedAt: number
  order: () => Order | null
  commands: () => AgentCommands
}

/** An offset that moved by less is not worth a write. */
const offsetStepMs = 5_000

export function createReporter(options: ReporterOptions): Reporter {
  const { state, store, audit, spool, settings, problems, setup, clock } = options
  const { id } = setup.deployment
  let offset = (state.get('clock-offset') as number | undefined) ?? null
  let stored = offset
  const nextNumber = () =>
    state.transaction(() => {
      const number = ((state.get('report') as number | undefined) ?? 0) + 1
      state.put('report', number)
      return number
    })
  let copy: number | null | undefined
  return {
    passed(number) {
      if (number > ((state.get('report') as number | undefined) ?? 0)) state.put('report', number)
    },
    setCopy(number) {
      copy = number
    },
    forgetCopy() {
      copy = undefined
    },
    copy: () => copy,
    lags: () => typeof copy === 'number' && copy < (audit.head(id)?.number ?? 0),
    clockOffsetMs: () => offset,
    setClockOffset(ms) {
      offset = Math.round(ms)
      if (stored !== null && Math.abs(stored - offset) < offsetStepMs) return
      state.put('clock-offset', offset)
      stored = offset
    },
    build(after) {
      const look = store.look(id)
      return {
        schema: 'landfall.dev/report/v1',
        deployment: id,
        number: nextNumber(),
        at: clock.now(),
        observed: look?.observed ?? 0,
        wakeAt: look?.wakeAt ?? null,
        state: look?.state ?? null,
        customer: settings.inForce(),
        local: Object.keys(settings.local()).sort(),
        answers: settings.answers(),
        audit: after === null ? [] : bounded(audit.list(id, after, maxLinks)),
        commands: options.commands().updates(),
        agent: {
          version: options.version,
          platform: setup.deployment.platform,
          startedAt: options.startedAt,
          clockOffsetMs: offset,
          problems: problems.list(),
          telemetry: telemetryOf(spool),
        },
      }
    },
  }
}

function bounded(links: Report['audit']): Report['audit'] {
  let bytes = 0
  const end = links.findIndex((link, index) => {
    bytes += Buffer.byteLength(JSON.stringify(link))
    return index > 0 && bytes > maxLinkBytes
  })
  return end === -1 ? links : links.slice(0, end)
}

/** What waits in the spool, as reports and the local status say it. */
export function telemetryOf(spool: Spool): Report['agent']['telemetry'] {
  const { bytes, oldestAt, drops } = spool.stats()
  return {
    bytes,
    oldestAt,
    dropped: drops.map(({ reason, signal, items, bytes }) => ({ reason, signal, items, bytes })),
  }
}

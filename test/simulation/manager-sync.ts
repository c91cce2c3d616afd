import type { Order, Report, SyncAnswer, SyncRequest } from '@landfall/contract'
import type { Clock } from '@landfall/engine'
import { digestOf, LandfallError } from '@landfall/stack'
import { readState } from '../../packages/manager/src/agents/report/read-state.ts'
import { takeLinks } from '../../packages/manager/src/agents/report/take-links.ts'
import { acceptUpdate, takeCommands, waitingCommands } from './command-handover.ts'
import type { Commands } from './commands.ts'
import type { Database } from './database.ts'
import { desiredFrom } from './push-store.ts'
import type { DeploymentRow } from './rows.ts'

/** Places where a deliberate bug can be put in. */
export interface SyncSeams {
  isNewer?: (row: DeploymentRow, report: Report) => boolean
  links?: (links: Report['audit']) => Report['audit']
  order?: (order: Order, row: DeploymentRow, db: Database) => Order
  /** Told of every report that was taken. */
  onTaken?: (row: DeploymentRow, report: Report, before: number) => void
}

interface Deps {
  db: Database
  clock: Clock
  commit: <T>(label: string, work: () => T) => Promise<T>
  listeners: Set<() => void>
  commands: Commands
  /** Cancellations that were told already: they end no other wait. */
  told: Set<string>
  seams: SyncSeams
}

const poll = { waitMs: 25_000, intervalMs: 20_000, jitterMs: 5_000 }

/** Begins a session, or answers a sync: held until there is an order that the agent lacks, as the manager's hub does. */
export async function answerSync(
  deps: Deps,
  given: unknown,
  deployment: string,
): Promise<{ status: number; body: unknown }> {
  const { db, clock, commit, seams, commands } = deps
  if (given === null) return { status: 200, body: { poll } }
  const request = given as SyncRequest
  const row = db.deployment(deployment)
  try {
    const { report } = request
    if (report) await commit('report', () => acceptReport(db, row, report, 'sync', clock.now(), seams, commands))
    const end = clock.now() + request.wait * 1_000
    const hasNews = () => {
      const { queued, cancel } = waiting(deps, row)
      return (queued > 0 && request.commandRoom > 0) || cancel.some((one) => !deps.told.has(one))
    }
    while (row.requested <= request.known && !hasNews() && clock.now() < end)
      await woken(deps, Math.min(3_000, end - clock.now()))
    const granted = row.customer.access !== 'revoked'
    const room = request.commandRoom
    const given =
      room > 0 && waiting(deps, row).queued > 0
        ? await commit('commands', () => takeCommands(commands.table, { deployment, room, granted, at: clock.now() }))
        : []
    const body = await commit('answer', (): SyncAnswer => {
      row.lastSeenAt = clock.now()
      const { cancel } = waiting(deps, row)
      for (const id of cancel) deps.told.add(id)
      const order = row.requested > request.known ? buildOrder(db, row, seams) : null
      return {
        now: new Date(clock.now()).toISOString(),
        poll,
        order,
        commands: given,
        cancel,
        reported: row.reported,
        audit: row.copy,
        keyset: 1,
        checkpoint: null,
      }
    })
    return { status: 200, body }
  } catch (error) {
    if (!LandfallError.is(error)) throw error
    const { code, message, hint } = error
    return {
      status: 409,
      body: { type: `https://landfall.dev/errors/${code}`, title: code, status: 409, code, detail: message, hint },
    }
  }
}

/** As the hub asks it: whether the customer lets anything run there is the portal's word or the agent's. */
const waiting = ({ commands, clock }: Deps, row: DeploymentRow) =>
  waitingCommands(commands.table, row.id, row.customer.access !== 'revoked', clock.now())

/** Until a commit wakes it, or `ms` have passed. */
async function woken({ clock, listeners }: Deps, ms: number): Promise<void> {
  const over = new AbortController()
  const listener = () => over.abort()
  listeners.add(listener)
  await clock.sleep(ms, over.signal).catch(() => {})
  listeners.delete(listener)
}

/** What `buildOrders` makes. The simulation seals no secrets. */
export function buildOrder(db: Database, row: DeploymentRow, seams: SyncSeams = {}): Order {
  const { controls, answers, ...desired } = desiredFrom(row)
  const order: Order = {
    schema: 'landfall.dev/order/v1',
    generation: desired.generation,
    deployment: { ...desired.deployment },
    operation: desired.operation,
    target: desired.target,
    setup: desired.setup,
    controls: [...controls],
    answers: answers.filter(({ by }) => !by.startsWith('agent:')),
    customer: row.customer,
    policy: { drift: row.policy.drift, windowClose: row.policy.windowClose, trustedKeys: [...row.policy.trustedKeys] },
    config: row.target ? (db.configs.get(row.target.config) ?? null) : null,
    secrets: [],
  }
  return seams.order?.(order, row, db) ?? order
}

/** What `acceptReport` does, by its own parts: state and links are read as the manager reads them. */
export function acceptReport(
  db: Database,
  row: DeploymentRow,
  report: Report,
  via: 'sync' | 'export',
  at: number,
  seams: SyncSeams,
  commands: Commands,
): void {
  if (row.deleted) return
  const newer = seams.isNewer?.(row, report) ?? report.number > row.reported
  if (!newer) return
  const state = readState(report.state)
  const { fresh, head } = takeLinks(seams.links?.(report.audit) ?? report.audit, row.id, row.copy)
  const before = row.reported
  db.writeState(row, state, at)
  row.observed = Math.max(row.observed, Math.min(row.requested, Math.max(0, report.observed)))
  row.wakeAt = null
  row.lastSeenAt = Math.max(row.lastSeenAt ?? 0, via === 'sync' ? at : Math.min(at, report.at))
  row.reported = report.number
  row.copy = head
  row.copied.push(...fresh)
  for (const answer of report.answers) {
    const by = `agent:${answer.by}`
    const known = row.answers.some((one) => digestOf({ ...one }) === digestOf({ ...answer, by }))
    if (!known) row.answers.push({ ...answer, by } as DeploymentRow['answers'][number])
  }
  for (const update of report.commands) acceptUpdate(commands.table, { deployment: row.id, update, at }, commands.seams)
  for (const { type, message, at: when } of fresh)
    db.audit(row, { type, message, actor: 'agent', at: Date.parse(when) })
  seams.onTaken?.(row, report, before)
}

import type { Clock } from '@landfall/engine'
import type { CustomerSettings } from '@landfall/stack'
import { inForceOf } from '../portal/customer-in-force.ts'
import type { Database } from '../store/database.ts'

/** What the intake has to know of a deployment that sends. */
export interface Sender {
  name: string
  telemetry: CustomerSettings['telemetry']
  retentionDays: number
}

/** How long a change of a policy may take to be obeyed. */
const keptMs = 5_000
/** How long a setting is taken to forbid what comes: what the customer has just allowed is not thrown away for long. */
const keptNoMs = 500
const maxKept = 10_000

/** Looks deployments up, and remembers them for 5 seconds: telemetry comes far more often than settings change. */
export class Senders {
  readonly #db: Database
  readonly #clock: Clock
  readonly #kept = new Map<string, { sender: Sender | null; until: number }>()

  constructor(db: Database, clock: Clock) {
    this.#db = db
    this.#clock = clock
  }

  /** Null when there is no such deployment any more. */
  async find(deployment: string): Promise<Sender | null> {
    const now = this.#clock.now()
    const known = this.#kept.get(deployment)
    if (known && known.until > now) return known.sender
    const row = await this.#db
      .selectFrom('deployments')
      .leftJoin('telemetry_settings', 'telemetry_settings.project', 'deployments.project')
      .leftJoin('agents', 'agents.deployment', 'deployments.id')
      .select([
        'deployments.name',
        'deployments.customer',
        'agents.customer as reported',
        'agents.local',
        'telemetry_settings.retention_days',
      ])
      .where('deployments.id', '=', deployment)
      .where('deployments.deleted_at', 'is', null)
      .executeTakeFirst()
    const sender = row ? senderOf(row) : null
    if (this.#kept.size >= maxKept) this.#kept.clear()
    this.#kept.set(deployment, { sender, until: now + (sender?.telemetry === 'on' ? keptMs : keptNoMs) })
    return sender
  }
}

function senderOf(row: {
  name: string
  customer: CustomerSettings
  reported: CustomerSettings | null
  local: string[] | null
  retention_days: number | null
}): Sender {
  const { name, customer, reported, local } = row
  const { telemetry } = inForceOf(customer, { customer: reported, local: local ?? [] }).settings
  return { name, telemetry, retentionDays: row.retention_days ?? 7 }
}

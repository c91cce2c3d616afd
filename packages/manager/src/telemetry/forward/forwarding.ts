import type { Clock, Log, Random } from '@landfall/engine'
import { Endpoint, type EndpointCounters, type Parcel } from '@landfall/telemetry'
import type { Keyring } from '../../secrets/keyring.ts'
import type { Database } from '../../store/database.ts'

/** Where a project's telemetry is sent on to. Header values are secrets. */
export interface ForwardTo {
  url: string
  headers: Record<string, string>
}

export const forwardContext = (project: string) => `telemetry-forward:${project}`

interface Kept {
  /** The sealed settings that the endpoints were made from; they are made anew when these change. */
  sealed: string
  endpoints: Endpoint[]
}

/** The endpoints of all projects, kept in step with their settings by `refresh`. */
export class Forwarding {
  readonly #deps: { db: Database; keyring: Keyring; clock: Clock; random: Random; log: Log }
  readonly #projects = new Map<string, Kept>()
  /** Of endpoints that are gone: counters only rise. */
  readonly #past: EndpointCounters = zero()

  constructor(deps: { db: Database; keyring: Keyring; clock: Clock; random: Random; log: Log }) {
    this.#deps = deps
  }

  send(project: string, parcel: Parcel): void {
    for (const endpoint of this.#projects.get(project)?.endpoints ?? []) endpoint.send(parcel)
  }

  /** Reads the settings and replaces endpoints of projects whose settings changed; what those still held is dropped, and counted. */
  async refresh(): Promise<void> {
    const { db, keyring, log, clock, random } = this.#deps
    const rows = await db
      .selectFrom('telemetry_settings')
      .select(['project', 'forward'])
      .where('forward', 'is not', null)
      .execute()
    const wanted = new Map(rows.flatMap((row) => (row.forward ? [[row.project, row.forward] as const] : [])))
    for (const [project, kept] of this.#projects) {
      if (wanted.get(project)?.toString('base64') === kept.sealed) continue
      this.#projects.delete(project)
      await this.#retire(kept)
    }
    for (const [project, sealed] of wanted) {
      if (this.#projects.has(project)) continue
      try {
        const list = JSON.parse(keyring.open(sealed, forwardContext(project)).toString('utf8')) as ForwardTo[]
        const endpoints = list.map((one) => new Endpoint({ ...one, clock, random }))
        this.#projects.set(project, { sealed: sealed.toString('base64'), endpoints })
      } catch {
        log.warn('The forwarding settings of a project do not open', { project })
      }
    }
  }

  /** Sums over all endpoints, and what is waiting now. */
  counters(): EndpointCounters & { held: number } {
    const sum = { ...structuredClone(this.#past), held: 0 }
    for (const endpoint of [...this.#projects.values()].flatMap((kept) => kept.endpoints)) {
      add(sum, endpoint.counters)
      sum.held += endpoint.held
    }
    return sum
  }

  async close(): Promise<void> {
    await Promise.all([...this.#projects.values()].map((kept) => this.#retire(kept)))
    this.#projects.clear()
  }

  async #retire(kept: Kept): Promise<void> {
    for (const endpoint of kept.endpoints) {
      await endpoint.close()
      add(this.#past, endpoint.counters)
    }
  }
}

function zero(): EndpointCounters {
  return { sent: 0, retried: 0, dropped: { full: 0, budget: 0, refused: 0, closed: 0 } }
}

function add(sum: EndpointCounters, more: EndpointCounters): void {
  sum.sent += more.sent
  sum.retried += more.retried
  for (const why of ['full', 'budget', 'refused', 'closed'] as const) sum.dropped[why] += more.dropped[why]
}

import { type AuditHead, type AuditLink, agentChain, genesis, hashOf, storable, storableText } from '@landfall/contract'
import type { AgentState } from '../state/agent-state.ts'

/** Something that was done in the customer's environment. Never holds a secret. */
export interface AuditEvent {
  /** Milliseconds since the epoch. */
  at: number
  /** Dotted and stable, such as `rollout.aborted`. */
  type: string
  /** `engine`, `agent`, or who asked for it. */
  actor: string
  message: string
  code?: string | undefined
  resource?: string | undefined
  data?: unknown
}

export interface AuditCheck {
  ok: boolean
  /** Links that hold, from the first. */
  entries: number
  head: string | null
  broken: { number: number; message: string } | null
}

const page = 500

/**
 * The agent's own audit: per deployment a hash chain over sealed records. Its head is a value of the state, so that a cut-off
 * end is found too.
 */
export class AgentAudit {
  readonly #state: AgentState

  constructor(state: AgentState) {
    this.#state = state
  }

  /** Appends; within the transaction around it, if there is one: a link exists exactly if what it tells of does. */
  append(deployment: string, events: readonly AuditEvent[]): void {
    if (events.length === 0) return
    const chain = agentChain(deployment)
    this.#state.transaction(() => {
      let head = this.head(deployment) ?? { number: 0, hash: genesis(chain) }
      for (const event of events) {
        const content = {
          deployment,
          number: head.number + 1,
          at: new Date(event.at).toISOString(),
          type: storableText(event.type),
          actor: storableText(event.actor),
          code: event.code ?? null,
          message: storableText(event.message),
          resource: event.resource ?? null,
          data: storable(event.data ?? null),
          previous: head.hash,
        }
        head = { number: content.number, hash: hashOf(content) }
        this.#state.append(`audit/${chain}`, content.number, { ...content, hash: head.hash } satisfies AuditLink)
      }
      this.#state.put(headName(deployment), head)
    })
  }

  /** Null when nothing was ever appended. */
  head(deployment: string): AuditHead | null {
    return (this.#state.get(headName(deployment)) as AuditHead | undefined) ?? null
  }

  /** Links above the number `after`, oldest first. */
  list(deployment: string, after = 0, limit = page): AuditLink[] {
    const records = this.#state.records(`audit/${agentChain(deployment)}`, after, limit)
    return records.map(({ record }) => record as AuditLink)
  }

  /** Recomputes the chain from its first link to its head. @throws LandfallError `E_AGENT_STATE_TAMPERED` naming a link that does not open */
  verify(deployment: string): AuditCheck {
    const head = this.head(deployment)
    let number = 0
    let previous = genesis(agentChain(deployment))
    const broken = (message: string): AuditCheck => ({
      ok: false,
      entries: number,
      head: number === 0 ? null : previous,
      broken: { number: number + 1, message },
    })
    for (let links = this.list(deployment); links.length > 0; links = this.list(deployment, number)) {
      for (const link of links) {
        if (link.number !== number + 1) return broken('The entry is missing')
        if (link.previous !== previous) return broken('The entry does not follow from the one before it')
        if (hashOf(link) !== link.hash) return broken('The entry was changed after it was written')
        number = link.number
        previous = link.hash
      }
    }
    if (number < (head?.number ?? 0)) return broken('The end of the chain is missing')
    if (number > (head?.number ?? 0) || (head && head.hash !== previous)) {
      return broken('The chain does not end at its head')
    }
    return { ok: true, entries: number, head: head?.hash ?? null, broken: null }
  }
}

const headName = (deployment: string): string => `audit/${deployment}/head`

import type { CommandUpdate } from '@landfall/contract'
import type { AgentState } from '../state/agent-state.ts'
import type { CommandRecord } from './command-record.ts'

type Piece = CommandUpdate['output'][number]

const prefix = 'command/'
const outputPrefix = (id: string) => `command-output/${id}/`
const outputName = (id: string, number: number) => `${outputPrefix(id)}${String(number).padStart(8, '0')}`

/** The agent's commands in its sealed state, each also in memory: only one process works on them. */
export class Records {
  readonly #state: AgentState
  readonly #all = new Map<string, CommandRecord>()

  constructor(state: AgentState) {
    this.#state = state
    for (const name of state.names(prefix)) {
      this.#all.set(name.slice(prefix.length), state.get(name) as CommandRecord)
    }
  }

  get(id: string): CommandRecord | null {
    return this.#all.get(id) ?? null
  }

  /** Oldest first. */
  list(): CommandRecord[] {
    return [...this.#all.values()].sort((a, b) => a.queuedAt - b.queuedAt || (a.id < b.id ? -1 : 1))
  }

  get size(): number {
    return this.#all.size
  }

  /** Durable when it returns, with what `also` writes. */
  put(record: CommandRecord, also?: () => void): void {
    this.#state.transaction(() => {
      also?.()
      this.#state.put(`${prefix}${record.id}`, record)
    })
    this.#all.set(record.id, record)
  }

  /** In memory alone: what a restart forgets anyway. */
  putVolatile(record: CommandRecord): void {
    this.#all.set(record.id, record)
  }

  delete(id: string): void {
    this.#state.transaction(() => {
      this.deletePieces(id, Number.MAX_SAFE_INTEGER)
      this.#state.delete(`${prefix}${id}`)
    })
    this.#all.delete(id)
  }

  putPiece(id: string, piece: Piece): void {
    this.#state.put(outputName(id, piece.number), piece)
  }

  pieces(id: string): Piece[] {
    return this.#state.names(outputPrefix(id)).map((name) => this.#state.get(name) as Piece)
  }

  deletePieces(id: string, through: number): void {
    for (const name of this.#state.names(outputPrefix(id))) {
      if (Number(name.slice(outputPrefix(id).length)) <= through) this.#state.delete(name)
    }
  }
}

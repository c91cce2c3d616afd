import type { CommandState } from '@landfall/engine'

/** A row of `commands` with its output. Never changed in place. */
export interface CommandRow {
  deployment: string
  id: string
  worker: string
  command: string
  input: unknown
  /** `direct`: handed over or run by a manager · `bundle`: signed, and carried · `agent`: told of by an agent alone */
  via: 'direct' | 'bundle' | 'agent'
  createdAt: number
  state: CommandState
  result: unknown
  output: readonly { number: number; chunk: string }[]
}

/** The managers' table of commands. */
export class CommandTable {
  readonly #rows = new Map<string, CommandRow>()
  /** Told of every row that is written. */
  onPut: (before: CommandRow | undefined, after: CommandRow) => void = () => {}

  find(deployment: string, id: string): CommandRow | undefined {
    return this.#rows.get(`${deployment} ${id}`)
  }

  /** Oldest first. */
  list(): CommandRow[] {
    return [...this.#rows.values()].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))
  }

  put(row: CommandRow): void {
    const key = `${row.deployment} ${row.id}`
    const before = this.#rows.get(key)
    this.#rows.set(key, row)
    this.onPut(before, row)
  }

  /** Carries out a change of state; false: there was none. */
  move(row: CommandRow | undefined, state: CommandState | null, more: Partial<CommandRow> = {}): boolean {
    if (!row || !state) return false
    this.put({ ...row, ...more, state })
    return true
  }
}

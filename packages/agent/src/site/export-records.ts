import type { CommandUpdate } from '@landfall/contract'
import type { AgentState } from '../state/agent-state.ts'

/** What one export carried, so that what the vendor has taken in can be forgotten here, and the rest goes out again. */
export interface ExportRecord {
  sequence: number
  at: number
  /** Newest payload of the spool in it. */
  spool: number
  /** Newest link of the audit chain in it. */
  audit: number
  receipts: string[]
  /** What it told of commands, without results and output. */
  commands: CommandUpdate[]
}

interface Exports {
  /** Of the newest, finished or not: a number is never used twice. */
  sequence: number
  /** When the newest finished one was made; null before the first. */
  at: number | null
  /** Highest number that arrived. */
  confirmed: number
  /** Where the vendor's copy of the audit chain ends. */
  audit: number
  open: ExportRecord[]
}

/** Exports whose arrival nobody has confirmed; beyond it the oldest are not told apart any more. */
const maxOpen = 100
const name = 'exports'

export const exportsOf = (state: AgentState): Exports =>
  (state.get(name) as Exports | undefined) ?? { sequence: 0, at: null, confirmed: 0, audit: 0, open: [] }

/** The next number, durable before it is used. */
export function nextSequence(state: AgentState): number {
  return state.transaction(() => {
    const exports = exportsOf(state)
    state.put(name, { ...exports, sequence: exports.sequence + 1 } satisfies Exports)
    return exports.sequence + 1
  })
}

export function recordExport(state: AgentState, record: ExportRecord): void {
  state.transaction(() => {
    const exports = exportsOf(state)
    state.put(name, { ...exports, at: record.at, open: [...exports.open, record].slice(-maxOpen) } satisfies Exports)
  })
}

/** Takes the exports up to a number as arrived; null when that is nothing new. Within the transaction around it. */
export function confirmRecords(state: AgentState, through: number): ExportRecord[] | null {
  const exports = exportsOf(state)
  const arrived = exports.open.filter((record) => record.sequence <= through)
  if (through <= exports.confirmed || arrived.length === 0) return null
  state.put(name, {
    ...exports,
    confirmed: Math.min(through, exports.sequence),
    audit: Math.max(exports.audit, ...arrived.map((record) => record.audit)),
    open: exports.open.filter((record) => record.sequence > through),
  } satisfies Exports)
  return arrived
}

import type { Envelope } from '@landfall/release'
import type { AgentState } from '../state/agent-state.ts'

/** What became of one imported bundle. Written in the transaction that applies it, so it is there exactly if that happened. */
export interface Imported {
  bundle: string
  importedAt: string
  by: string
  releases: string[]
  /** Of the order that it carried; null: it had none for this deployment, or an older one than is there. */
  generation: number | null
  /** Commands that are not handed to the queue yet: blobs of their envelopes. */
  pending: { id: string; digest: string }[]
  commands: string[]
  refusedCommands: { id: string; code: string }[]
  /** The agent's signed word for the vendor. */
  receipt: Envelope
  /** An export with the receipt was taken in by the vendor. */
  receiptArrived?: boolean
}

const nameOf = (bundle: string) => `bundles/${bundle}`

export const importedBundle = (state: AgentState, bundle: string): Imported | null =>
  (state.get(nameOf(bundle)) as Imported | undefined) ?? null

export const putImported = (state: AgentState, imported: Imported): void => state.put(nameOf(imported.bundle), imported)

/** Oldest first. */
export function importedBundles(state: AgentState): Imported[] {
  const all = state.names('bundles/').map((name) => state.get(name) as Imported)
  return all.sort((a, b) => (a.importedAt < b.importedAt ? -1 : a.importedAt > b.importedAt ? 1 : 0))
}

/** What is remembered of bundles whose blobs are gone and whose receipt arrived, or nobody fetched. */
const maxForgotten = 100

/** These receipts arrived at the vendor. Within the transaction around it. */
export function confirmReceipts(state: AgentState, bundles: ReadonlySet<string>): void {
  for (const bundle of bundles) {
    const known = importedBundle(state, bundle)
    if (known && !known.receiptArrived) putImported(state, { ...known, receiptArrived: true })
  }
}

/** Drops what is remembered of bundles that are gone from the store, where their receipts arrived or there are too many. */
export function forgetGone(state: AgentState, held: ReadonlySet<string>): void {
  const gone = importedBundles(state).filter((imported) => !held.has(imported.bundle))
  const excess = gone.length - maxForgotten
  state.transaction(() => {
    for (const [index, imported] of gone.entries()) {
      if (imported.receiptArrived || index < excess) state.delete(nameOf(imported.bundle))
    }
  })
}

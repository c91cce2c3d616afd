import { isOpen } from './command-record.ts'
import type { Records } from './records.ts'

/** A command may be handed over twice as long as its deadline has not passed; somewhat longer, for clocks that differ. */
const knownForMs = 2 * 86_400_000
/** Where no network and no export takes an end over. */
const untoldForMs = 90 * 86_400_000
/** Ends that were taken are told again where the other side forgot: not without end. */
const maxResults = 50

/** Forgets commands that are over and that nobody can ask of again. */
export function tidyRecords(records: Records, now: number): void {
  let results = 0
  for (const record of records.list().toReversed()) {
    if (isOpen(record)) continue
    const since = now - Math.max(record.state.deadline, record.state.finishedAt ?? 0)
    if (since > (record.told ? knownForMs : untoldForMs)) records.delete(record.id)
    else if (record.told && record.result !== null) {
      results += 1
      if (results > maxResults) records.put({ ...record, result: null })
    }
  }
}

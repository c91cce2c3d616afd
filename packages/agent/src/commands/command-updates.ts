import type { CommandUpdate } from '@landfall/contract'
import { type CommandRecord, isOpen } from './command-record.ts'
import type { Records } from './records.ts'

const maxUpdates = 100
/** Of results and output in one report. One update may be larger: it then goes alone. */
const maxBytes = 3 * 1024 * 1024

/**
 * What the other side is to know of the commands here; the same again until it was taken. Every command that is not over is in it,
 * because being told of keeps its lease; an end goes with all of its output that is left, or after it.
 */
export function updatesOf(records: Records): CommandUpdate[] {
  const told: CommandUpdate[] = []
  let bytes = 0
  const all = records.list().filter((record) => isOpen(record) || !record.told)
  for (const record of [...all.filter(isOpen), ...all.filter((each) => !isOpen(each))].slice(0, maxUpdates)) {
    const output: CommandUpdate['output'] = []
    let whole = true
    for (const piece of record.output.chunks === 0 ? [] : records.pieces(record.id)) {
      const size = Buffer.byteLength(piece.chunk) + 60
      if (bytes + size > maxBytes) {
        whole = false
        break
      }
      bytes += size
      output.push(piece)
    }
    const size = record.result?.length ?? 0
    if (!isOpen(record) && whole && (bytes + size <= maxBytes || told.length === 0)) {
      bytes += size
      told.push(endOf(record, output))
    } else if (isOpen(record) || output.length > 0) told.push(goingOn(record, output))
  }
  return told
}

const common = (record: CommandRecord, output: CommandUpdate['output']) => ({
  id: record.id,
  attempt: Math.max(1, record.state.attempt, record.knownAs),
  startedAt: record.startedAt ?? record.queuedAt,
  output,
  ...(record.origin ? { origin: record.origin } : {}),
})

const goingOn = (record: CommandRecord, output: CommandUpdate['output']): CommandUpdate => ({
  ...common(record, output),
  status: record.state.owner === null && isOpen(record) ? 'postponed' : 'running',
  finishedAt: null,
  result: null,
  error: null,
})

function endOf(record: CommandRecord, output: CommandUpdate['output']): CommandUpdate {
  const { status, error, finishedAt } = record.state
  if (status === 'queued' || status === 'running') throw new RangeError('it is not over')
  const lost = status === 'succeeded' && record.result === null
  return {
    ...common(record, output),
    status: lost ? 'failed' : status,
    finishedAt,
    result: record.result,
    error: lost ? { code: 'E_COMMAND_RESULT', message: 'It succeeded; its result is no longer kept here.' } : error,
  }
}

/** These updates have arrived: what they told is told, what they carried is dropped. */
export function updatesTaken(records: Records, updates: readonly CommandUpdate[]): void {
  for (const update of updates) {
    const record = records.get(update.id)
    if (!record) continue
    const taken = Math.max(record.output.taken, ...update.output.map((piece) => piece.number))
    const ended = update.finishedAt !== null && !isOpen(record) && update.attempt >= record.knownAs
    if (taken === record.output.taken && !ended) continue
    const output = { ...record.output, taken }
    records.put({ ...record, output, told: record.told || ended }, () => records.deletePieces(record.id, taken))
  }
}

import { logsRequest, plainAttributes, plainValue, severityOf, textAttribute, toJsonLine } from '@landfall/telemetry'
import type { LogLine } from '../agent.ts'
import type { Spool } from '../spool/spool.ts'

/** Payloads are batches of lines: this many hold far more than a screen. */
const maxPayloads = 500

/** The newest log lines that the spool still has, oldest first. What was handed on already is not here any more. */
export function readLogs(spool: Spool, limit: number): LogLine[] {
  const lines: { at: bigint; line: LogLine }[] = []
  for (const { body, encoding } of spool.recent('logs', Math.min(limit, maxPayloads))) {
    for (const entry of entriesOf(body, encoding)) lines.push(entry)
  }
  return lines
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    .slice(-limit)
    .map(({ line }) => line)
}

function entriesOf(body: Uint8Array, encoding: 'json' | 'protobuf'): { at: bigint; line: LogLine }[] {
  const parsed = logsRequest.safeParse(attempt(() => JSON.parse(toJsonLine(body, encoding, 'logs'))))
  if (!parsed.success) return []
  return parsed.data.resourceLogs.flatMap(({ resource, scopeLogs }) => {
    const of = plainAttributes(resource.attributes)
    return scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map((record) => {
        const at = record.timeUnixNano || record.observedTimeUnixNano
        const text = plainValue(record.body)
        const line = {
          at: new Date(Number(at / 1_000_000n)).toISOString(),
          severity: severityOf(record),
          worker: textAttribute(of, 'landfall.worker', 'service.name'),
          body: typeof text === 'string' ? text : JSON.stringify(text),
        }
        return { at, line }
      }),
    )
  })
}

function attempt(work: () => unknown): unknown {
  try {
    return work()
  } catch {
    return null
  }
}

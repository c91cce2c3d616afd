import { setImmediate as turn } from 'node:timers/promises'
import { letPass, type TelemetryPolicy, toJsonLine } from '@landfall/telemetry'
import type { Spool, SpoolItem } from '../spool/spool.ts'

const page = { maxItems: 100, maxBytes: 2 * 1024 * 1024 }

/**
 * Takes out of the spool what the customer does not let leave any more, after the setting became stricter: what was gathered before must
 * not leave after a no. Answers how many payloads were changed or taken out. Killed half way, it is begun again and ends the same.
 */
export async function sweep(spool: Spool, policy: TelemetryPolicy): Promise<number> {
  if (policy === 'on') return 0
  let changed = 0
  // What is put in anew, filtered, comes behind; it must not be looked at again.
  const end = spool.newest()
  for (let items = spool.after(0, page); items.length > 0; items = spool.after(items.at(-1)?.id ?? end, page)) {
    for (const item of items) {
      if (item.id > end) return changed
      const kept = policy === 'off' ? null : errorsOf(item)
      if (kept === 'all') continue
      if (kept) spool.append({ signal: item.signal, encoding: 'json', body: kept })
      spool.acknowledge([item.id])
      changed += 1
    }
    await turn()
  }
  return changed
}

/** `all`: there is nothing else in it. What can't be read is taken out. */
function errorsOf({ signal, encoding, body }: SpoolItem): Uint8Array | 'all' | null {
  try {
    const request = JSON.parse(toJsonLine(body, encoding, signal)) as Record<string, unknown>
    const passed = letPass('errors-only', signal, encoding, { request, stamped: body })
    if (!passed) return null
    return encoding === 'json' && passed.bytes.length === body.length ? 'all' : passed.bytes
  } catch {
    return null
  }
}

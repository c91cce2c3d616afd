import type { explanation, Report } from '@landfall/contract'
import type { z } from 'zod'

type Check = z.output<typeof explanation>['checks'][number]

/** What keeps an agent from doing anything new until a person mends it; the rest is told, and may still be what is waited for. */
const blocking = ['DISK_FULL', 'STATE_TAMPERED', 'SYNC_REFUSED', 'IMPORT_UNFINISHED']

/** What an agent says a person should know of it, as links of the explanation: after what was found out about it from here. */
export function problemChecks(info: Report['agent'] | null): Check[] {
  return (info?.problems ?? []).map(({ code, message, since }) => ({
    name: 'agent',
    status: blocking.includes(code) ? 'blocked' : 'waiting',
    code,
    message: `Its agent says: ${message}`,
    // An agent's clock may say anything.
    since: new Date(Math.min(Math.max(since, 0), 8.64e15)).toISOString(),
  }))
}

import type { Keyring } from '../secrets/keyring.ts'
import type { Database, Trx } from '../store/database.ts'
import { type ForwardTo, forwardContext } from './forward/forwarding.ts'

export interface TelemetrySettings {
  forward: ForwardTo[]
  retentionDays: number
}

const defaultRetentionDays = 7
/** What stands for a header's value: shown instead of it, and, sent back, keeps it. */
const masked = '***'

/** Forwarding and retention of a project, header values masked. */
export async function readSettings(db: Database | Trx, keyring: Keyring, project: string): Promise<TelemetrySettings> {
  const { forward, retentionDays } = await openSettings(db, keyring, project)
  const mask = (headers: Record<string, string>) =>
    Object.fromEntries(Object.keys(headers).map((name) => [name, masked]))
  return { forward: forward.map(({ url, headers }) => ({ url, headers: mask(headers) })), retentionDays }
}

/** Replaces them. A header that comes masked keeps the value it has for the same address; one that has none is left out. */
export async function writeSettings(
  trx: Trx,
  keyring: Keyring,
  project: string,
  settings: TelemetrySettings,
): Promise<void> {
  const before = await openSettings(trx, keyring, project)
  const forward = settings.forward.map(({ url, headers }): ForwardTo => {
    const known = before.forward.find((each) => each.url === url)?.headers ?? {}
    const kept = Object.entries(headers).flatMap(([name, value]) => {
      const real = value === masked ? known[name] : value
      return real === undefined ? [] : [[name, real] as const]
    })
    return { url, headers: Object.fromEntries(kept) }
  })
  const row = {
    retention_days: settings.retentionDays,
    forward: keyring.seal(JSON.stringify(forward), forwardContext(project)),
  }
  await trx
    .insertInto('telemetry_settings')
    .values({ project, ...row })
    .onConflict((conflict) => conflict.column('project').doUpdateSet(row))
    .execute()
}

async function openSettings(db: Database | Trx, keyring: Keyring, project: string): Promise<TelemetrySettings> {
  const row = await db.selectFrom('telemetry_settings').selectAll().where('project', '=', project).executeTakeFirst()
  const forward = row?.forward
    ? (JSON.parse(keyring.open(row.forward, forwardContext(project)).toString('utf8')) as ForwardTo[])
    : []
  return { forward, retentionDays: row?.retention_days ?? defaultRetentionDays }
}

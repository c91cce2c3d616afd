import type { Clock, Log, Random } from '@landfall/engine'
import type { Poll } from '../agents/hub/hub.ts'
import type { Settings } from '../http/settings.ts'

export interface ManagerOptions {
  /** Holds the master key and the embedded PostgreSQL. Made if absent. */
  dataDir: string
  /** 0: any free one. */
  port: number
  /** Address to listen on; 127.0.0.1 by default. */
  host?: string
  /** A PostgreSQL to use instead of the embedded one. */
  databaseUrl?: string
  /** How people and agents reach it, such as `https://landfall.example.com`. */
  publicUrl?: string
  clock?: Clock
  random?: Random
  /** Silent by default but for warnings, which go to standard error. */
  log?: Log
  /** A line per call. */
  accessLog?: boolean
  /** File of the master key; by default `master.key` in the data directory, made at the first start. */
  masterKeyFile?: string
  oidc?: Settings['oidc']
  /** Folder of the built web app; null: none. By default that of this checkout. */
  webDirectory?: string | null
  /** How agents are to ask: how long a sync is held, the interval where holding does not work, and the random part. */
  agents?: Partial<Poll>
  /** Deployments worked on at the same time by this manager. */
  concurrency?: number
}

/** What the environment says, where an option does not: the names are in docs and in `.env` files of operators. */
export function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): {
  masterKeyFile?: string
  oidc?: NonNullable<Settings['oidc']>
  agents?: Partial<Poll>
} {
  const { LANDFALL_MASTER_KEY_FILE, LANDFALL_OIDC_ISSUER, LANDFALL_OIDC_CLIENT_ID, LANDFALL_OIDC_CLIENT_SECRET } =
    environment
  const agents = pollOf(environment)
  return {
    ...(Object.keys(agents).length > 0 ? { agents } : {}),
    ...(LANDFALL_MASTER_KEY_FILE ? { masterKeyFile: LANDFALL_MASTER_KEY_FILE } : {}),
    ...(LANDFALL_OIDC_ISSUER && LANDFALL_OIDC_CLIENT_ID && LANDFALL_OIDC_CLIENT_SECRET
      ? {
          oidc: {
            issuer: LANDFALL_OIDC_ISSUER,
            clientId: LANDFALL_OIDC_CLIENT_ID,
            clientSecret: LANDFALL_OIDC_CLIENT_SECRET,
            name: environment.LANDFALL_OIDC_NAME ?? new URL(LANDFALL_OIDC_ISSUER).hostname,
          },
        }
      : {}),
  }
}

/** `LANDFALL_AGENT_WAIT_MS`, `…_INTERVAL_MS`, `…_JITTER_MS`. What is no number of milliseconds counts as not said. */
function pollOf(environment: Readonly<Record<string, string | undefined>>): Partial<Poll> {
  const entries = [
    ['waitMs', environment.LANDFALL_AGENT_WAIT_MS],
    ['intervalMs', environment.LANDFALL_AGENT_INTERVAL_MS],
    ['jitterMs', environment.LANDFALL_AGENT_JITTER_MS],
  ] as const
  return Object.fromEntries(
    entries.flatMap(([name, text]) => (/^\d{1,8}$/.test(text ?? '') ? [[name, Number(text)]] : [])),
  )
}

/** Warnings to standard error as JSON lines. */
export const warningsOnly: Log = {
  info: () => {},
  warn: (message, fields) => {
    process.stderr.write(`${JSON.stringify({ level: 'warn', at: new Date().toISOString(), message, ...fields })}\n`)
  },
}

import { openApiDocument } from '@landfall/contract'
import { LandfallError } from '@landfall/stack'
import { sql } from 'kysely'
import type { Handlers } from '../../http/handler.ts'
import { isPerson } from '../../http/principal.ts'
import { metricsText } from '../../serve/metrics-text.ts'
import { userColumns, userView } from '../views/account-views.ts'

/** How long the database may take to answer nothing at all. */
const readyMs = 2_000

export const systemHandlers = {
  health: async (_, { settings }) => ({ status: 'ok', version: settings.version }),

  ready: async (_, { db, stopping, control, clock }) => {
    if (stopping.aborted) throw notReady('The manager is ending: it finishes what it has and takes nothing new.')
    const answer = sql`select 1`.execute(db)
    // A balancer asks often and waits briefly: a database that says nothing has to be told as one that is away.
    const answered = new AbortController()
    const late = clock.sleep(readyMs, answered.signal).then(() => Promise.reject(new Error('late')))
    await Promise.race([answer, late])
      .catch(() => {
        throw notReady('The database does not answer.')
      })
      .finally(() => answered.abort(new Error('answered')))
    // Loops that fail are told, and are no reason to send calls elsewhere: every manager shares one database.
    const { ok, loops } = control.health()
    const failing = loops.filter((loop) => loop.lastError !== null).map((loop) => loop.name)
    const checks = { database: 'ok', migrations: 'ok', loops: ok ? 'ok' : `failing: ${failing.join(', ')}` }
    return { status: 'ready', checks }
  },

  metrics: async (_, services) =>
    new Response(await metricsText(services), {
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' },
    }),

  openapi: async () => openApiDocument(),

  whoami: async ({ principal }, { db }) => {
    if (!isPerson(principal)) {
      const project = principal?.project ?? null
      return {
        kind: principal?.kind ?? 'agent',
        user: null,
        project,
        deployment: principal?.deployment ?? null,
        roles: {},
      }
    }
    const row = await db
      .selectFrom('users')
      .select(userColumns)
      .where('id', '=', principal.id)
      .executeTakeFirstOrThrow()
    return { kind: principal.kind, user: userView(row), project: null, deployment: null, roles: { ...principal.roles } }
  },
} satisfies Partial<Handlers>

function notReady(message: string): LandfallError {
  return new LandfallError({
    code: 'E_NOT_READY',
    message,
    hint: 'Send calls to another manager, or wait.',
    retryable: true,
  })
}

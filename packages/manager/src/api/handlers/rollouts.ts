import { sql } from 'kysely'
import { appendAudit } from '../../audit/append-audit.ts'
import { publishChanges } from '../../changes/publish-changes.ts'
import { createRollout } from '../../control/create-rollout.ts'
import type { Handlers } from '../../http/handler.ts'
import { conflict, notFound } from '../../http/refusals.ts'
import { findProject } from '../../store/accounts/projects.ts'
import type { Database, Trx } from '../../store/database.ts'
import { newId } from '../../store/new-id.ts'
import { type Cursor, cursorText, readCursor } from '../views/cursor.ts'
import { rolloutDetailView, rolloutView, rolloutViews } from '../views/rollout-view.ts'

export const rolloutHandlers = {
  listRollouts: async ({ params, query }, { db }) => {
    await findProject(db, params.project)
    let select = db
      .selectFrom('rollouts')
      .selectAll()
      .where('project', '=', params.project)
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(query.limit + 1)
    if (query.channel !== undefined) select = select.where('channel', '=', query.channel)
    if (query.active !== undefined) select = select.where('finished_at', query.active ? 'is' : 'is not', null)
    if (query.after !== undefined) select = select.where(before(readCursor(query.after)))
    const rows = await select.execute()
    const items = rows.slice(0, query.limit)
    const last = items.at(-1)
    return { items: await rolloutViews(db, items), next: rows.length > items.length && last ? cursorText(last) : null }
  },

  createRollout: async ({ params, body, actor }, { db, clock, waker }) => {
    const order = { project: params.project, release: body.release, plan: body.plan, by: actor, at: clock.now() }
    const id = await db.transaction().execute((trx) => createRollout(trx, order))
    waker.wake('rollouts', 'changes')
    return rolloutView(db, await find(db, params.project, id))
  },

  getRollout: async ({ params }, { db, clock }) =>
    rolloutDetailView(db, await find(db, params.project, params.rollout), clock.now()),

  controlRollout: async ({ params, body, actor }, { db, clock, waker }) => {
    const at = clock.now()
    const { project } = params
    await db.transaction().execute(async (trx) => {
      const row = await find(trx, project, params.rollout)
      if (row.phase === 'superseded') {
        throw conflict(
          'A newer rollout has taken the place of this one.',
          'Control the newer one: `landfall rollouts ls`.',
        )
      }
      if (row.phase === 'aborted' && startsAgain.includes(body.kind)) await refuseIfReplaced(trx, row)
      const control = { id: newId('ctl'), kind: body.kind, by: actor, reason: body.reason ?? null }
      await trx
        .insertInto('rollout_controls')
        .values({ ...control, rollout: row.id, at: new Date(at) })
        .execute()
      await trx
        .updateTable('rollouts')
        .set({ requested_generation: sql<number>`requested_generation + 1` })
        .where('id', '=', row.id)
        .execute()
      await publishChanges(trx, [{ project, kind: 'rollout', id: row.id, at }])
      const message = `Asked rollout of ${row.version} to ${body.kind}${body.reason ? `: ${body.reason}` : ''}`
      const data = { rollout: row.id, control: control.id }
      await appendAudit(trx, [
        { project, deployment: null, type: `rollout.control.${body.kind}`, actor, message, resource: row.id, data, at },
      ])
    })
    waker.wake('rollouts', 'changes')
    return rolloutView(db, await find(db, project, params.rollout))
  },
} satisfies Partial<Handlers>

/** Controls that begin an aborted rollout once more. */
const startsAgain = ['retry', 'promote-full']

/** Two releases at once would be brought to one channel. The channel's row is what creating a rollout waits for, too. */
async function refuseIfReplaced(trx: Trx, row: { id: string; project: string; channel: string; created_at: Date }) {
  const channel = { project: row.project, name: row.channel }
  await trx
    .selectFrom('channels')
    .select('name')
    .where((is) => is.and(channel))
    .forUpdate()
    .execute()
  const newer = await trx
    .selectFrom('rollouts')
    .select('version')
    .where('project', '=', row.project)
    .where('channel', '=', row.channel)
    .where(sql<boolean>`(created_at, id) > (${row.created_at}, ${row.id})`)
    .orderBy('created_at', 'desc')
    .executeTakeFirst()
  if (!newer) return
  throw conflict(
    `A newer rollout, of ${newer.version}, has begun in this channel since.`,
    'Start a new rollout of this release instead: it takes the place of the newer one.',
  )
}

async function find(db: Database | Trx, project: string, id: string) {
  const row = await db
    .selectFrom('rollouts')
    .selectAll()
    .where('project', '=', project)
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) throw notFound(`rollout ${id}`)
  return row
}

const before = ({ at, id }: Cursor) => sql<boolean>`(created_at, id) < (${at}, ${id})`

import type { freeze as freezeSchema } from '@landfall/contract'
import type { Selectable } from 'kysely'
import type { z } from 'zod'
import { appendAudit } from '../../audit/append-audit.ts'
import type { Handlers } from '../../http/handler.ts'
import { invalid } from '../../http/parse-request.ts'
import { notFound } from '../../http/refusals.ts'
import { findProject } from '../../store/accounts/projects.ts'
import { newId } from '../../store/new-id.ts'
import { wakeRollouts } from '../../store/rollouts/wake-rollouts.ts'
import type { FreezesTable } from '../../store/tables/rollouts.ts'

export const freezeHandlers = {
  listFreezes: async ({ params }, { db, clock }) => {
    await findProject(db, params.project)
    const rows = await db
      .selectFrom('freezes')
      .selectAll()
      .where('project', '=', params.project)
      .where('lifted_at', 'is', null)
      .where((eb) => eb.or([eb('until', 'is', null), eb('until', '>', new Date(clock.now()))]))
      .orderBy('created_at', 'desc')
      .execute()
    return { items: rows.map(view) }
  },

  createFreeze: async ({ params, body, actor }, { db, clock, waker }) => {
    const { project } = params
    const at = clock.now()
    const until = body.until === null ? null : new Date(body.until)
    if (until && until.getTime() <= at) throw invalid([{ path: 'until', message: 'is in the past' }])
    const row = await db.transaction().execute(async (trx) => {
      await findProject(trx, project)
      const row = await trx
        .insertInto('freezes')
        .values({ id: newId('frz'), project, reason: body.reason, until, created_at: new Date(at), created_by: actor })
        .returningAll()
        .executeTakeFirstOrThrow()
      await wakeRollouts(trx, project)
      const end = until ? `until ${until.toISOString()}` : 'until it is lifted'
      const message = `New starts are held ${end}: ${body.reason}`
      await appendAudit(trx, [
        { project, deployment: null, type: 'freeze.created', actor, message, at, data: { id: row.id } },
      ])
      return row
    })
    waker.wake('rollouts')
    return view(row)
  },

  liftFreeze: async ({ params, actor }, { db, clock, waker }) => {
    const { project, id } = params
    const at = clock.now()
    await db.transaction().execute(async (trx) => {
      const row = await trx
        .selectFrom('freezes')
        .selectAll()
        .where('project', '=', project)
        .where('id', '=', id)
        .forUpdate()
        .executeTakeFirst()
      if (!row) throw notFound(`freeze ${id}`)
      if (row.lifted_at) return
      await trx
        .updateTable('freezes')
        .set({ lifted_at: new Date(at), lifted_by: actor })
        .where('id', '=', id)
        .execute()
      await wakeRollouts(trx, project)
      const message = `The freeze was lifted: ${row.reason}`
      await appendAudit(trx, [{ project, deployment: null, type: 'freeze.lifted', actor, message, at, data: { id } }])
    })
    waker.wake('rollouts')
    return undefined
  },
} satisfies Partial<Handlers>

function view(row: Selectable<FreezesTable>): z.output<typeof freezeSchema> {
  return {
    id: row.id,
    reason: row.reason,
    until: row.until?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    createdBy: row.created_by,
    liftedAt: row.lifted_at?.toISOString() ?? null,
  }
}

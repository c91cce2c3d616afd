import { sql } from 'kysely'
import { appendAudit } from '../../audit/append-audit.ts'
import type { Handlers } from '../../http/handler.ts'
import { conflict, notFound } from '../../http/refusals.ts'
import { findProject } from '../../store/accounts/projects.ts'
import type { Database } from '../../store/database.ts'

export const groupHandlers = {
  listGroups: async ({ params }, { db }) => {
    await findProject(db, params.project)
    return { items: await groups(db, params.project) }
  },

  putGroup: async ({ params, body, actor }, { db, clock }) => {
    const { project, group: name } = params
    await db.transaction().execute(async (trx) => {
      await findProject(trx, project)
      await trx
        .insertInto('groups')
        .values({ project, name, description: body.description })
        .onConflict((conflict) => conflict.columns(['project', 'name']).doUpdateSet({ description: body.description }))
        .execute()
      const message = `The group ${name} was set.`
      await appendAudit(trx, [{ project, deployment: null, type: 'group.set', actor, message, at: clock.now() }])
    })
    const [view] = await groups(db, project, name)
    if (!view) throw notFound(`group ${name}`)
    return view
  },

  deleteGroup: async ({ params, actor }, { db, clock }) => {
    const { project, group: name } = params
    await db.transaction().execute(async (trx) => {
      const used = await trx
        .selectFrom('deployments')
        .select('name')
        .where('project', '=', project)
        .where('group_name', '=', name)
        .where('deleted_at', 'is', null)
        .executeTakeFirst()
      if (used) throw conflict(`The group has deployments, such as ${used.name}.`, 'Move them to another group first.')
      // Rows of destroyed deployments are kept for their audit; they let go of the group.
      await trx
        .updateTable('deployments')
        .set({ group_name: null })
        .where('project', '=', project)
        .where('group_name', '=', name)
        .execute()
      const gone = await trx
        .deleteFrom('groups')
        .where('project', '=', project)
        .where('name', '=', name)
        .returning('name')
        .executeTakeFirst()
      if (!gone) throw notFound(`group ${name}`)
      const message = `The group ${name} was deleted.`
      await appendAudit(trx, [{ project, deployment: null, type: 'group.deleted', actor, message, at: clock.now() }])
    })
    return undefined
  },
} satisfies Partial<Handlers>

function groups(db: Database, project: string, name?: string) {
  let query = db
    .selectFrom('groups')
    .select(['name', 'description'])
    .select(
      sql<number>`(select count(*) from deployments d where d.project = groups.project and d.group_name = groups.name
        and d.deleted_at is null)`.as('deployments'),
    )
    .where('project', '=', project)
    .orderBy('name')
  if (name !== undefined) query = query.where('name', '=', name)
  return query.execute()
}

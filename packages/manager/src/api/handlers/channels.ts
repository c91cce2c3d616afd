import type { channel as channelSchema } from '@landfall/contract'
import { sql } from 'kysely'
import type { z } from 'zod'
import { appendAudit } from '../../audit/append-audit.ts'
import type { Handlers } from '../../http/handler.ts'
import { conflict, notFound } from '../../http/refusals.ts'
import { findProject } from '../../store/accounts/projects.ts'
import type { Database } from '../../store/database.ts'
import { defaultPlan } from '../default-plan.ts'

export const channelHandlers = {
  listChannels: async ({ params }, { db }) => {
    await findProject(db, params.project)
    return { items: await channels(db, params.project) }
  },

  putChannel: async ({ params, body, actor }, { db, clock }) => {
    const { project, channel: name } = params
    const at = clock.now()
    await db.transaction().execute(async (trx) => {
      await findProject(trx, project)
      const plan = JSON.stringify(body.plan ?? defaultPlan)
      await trx
        .insertInto('channels')
        .values({ project, name, description: body.description, plan, created_at: new Date(at) })
        .onConflict((conflict) =>
          conflict
            .columns(['project', 'name'])
            // Without a plan, the one it has stays.
            .doUpdateSet({ description: body.description, ...(body.plan === undefined ? {} : { plan }) }),
        )
        .execute()
      const message = `The channel ${name} was set.`
      await appendAudit(trx, [{ project, deployment: null, type: 'channel.set', actor, message, at, data: { name } }])
    })
    const [view] = await channels(db, project, name)
    if (!view) throw notFound(`channel ${name}`)
    return view
  },

  deleteChannel: async ({ params, actor }, { db, clock }) => {
    const { project, channel: name } = params
    await db.transaction().execute(async (trx) => {
      const used = await trx
        .selectFrom('deployments')
        .select('name')
        .where('project', '=', project)
        .where('channel', '=', name)
        .where('deleted_at', 'is', null)
        .executeTakeFirst()
      if (used)
        throw conflict(`Deployments follow this channel, such as ${used.name}.`, 'Move them to another channel first.')
      const released = await trx
        .selectFrom('releases')
        .select('version')
        .where('project', '=', project)
        .where('channel', '=', name)
        .executeTakeFirst()
      if (released)
        throw conflict(`The channel has releases, such as ${released.version}.`, 'A channel with a history stays.')
      const gone = await trx
        .deleteFrom('channels')
        .where('project', '=', project)
        .where('name', '=', name)
        .returning('name')
        .executeTakeFirst()
      if (!gone) throw notFound(`channel ${name}`)
      const message = `The channel ${name} was deleted.`
      await appendAudit(trx, [{ project, deployment: null, type: 'channel.deleted', actor, message, at: clock.now() }])
    })
    return undefined
  },
} satisfies Partial<Handlers>

async function channels(db: Database, project: string, name?: string): Promise<z.output<typeof channelSchema>[]> {
  let query = db
    .selectFrom('channels')
    .select(['name', 'description', 'plan'])
    .select([
      sql<
        string | null
      >`(select r.version from releases r where r.project = channels.project and r.channel = channels.name
        order by r.sequence desc limit 1)`.as('newest'),
      sql<number>`(select count(*) from deployments d where d.project = channels.project and d.channel = channels.name
        and d.deleted_at is null)`.as('deployments'),
    ])
    .where('project', '=', project)
    .orderBy('name')
  if (name !== undefined) query = query.where('name', '=', name)
  return query.execute()
}

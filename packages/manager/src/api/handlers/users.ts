import { appendAudit } from '../../audit/append-audit.ts'
import { newSecret } from '../../auth/token.ts'
import type { Handlers } from '../../http/handler.ts'
import { isPerson } from '../../http/principal.ts'
import { conflict, exists, notFound } from '../../http/refusals.ts'
import { findProject } from '../../store/accounts/projects.ts'
import type { Database, Trx } from '../../store/database.ts'
import { newId } from '../../store/new-id.ts'
import { userColumns, userView } from '../views/account-views.ts'

const inviteMs = 72 * 3_600_000

export const userHandlers = {
  listUsers: async (_, { db }) => {
    const rows = await db
      .selectFrom('users')
      .select(userColumns)
      .where('removed_at', 'is', null)
      .orderBy('email')
      .execute()
    return { items: rows.map(userView) }
  },

  /** Inviting somebody who is here already sends a new link: how a lost password is set anew. */
  inviteUser: async ({ body, actor }, { db, clock, settings }) => {
    const at = new Date(clock.now())
    const email = body.email.toLowerCase()
    const { secret, hash } = newSecret()
    const row = await db.transaction().execute(async (trx) => {
      const before = await trx
        .selectFrom('users')
        .select(userColumns)
        .where('email', '=', email)
        .where('removed_at', 'is', null)
        .executeTakeFirst()
      if (before && before.operator !== body.operator) throw exists(`an account ${email} with other rights`)
      const id = before?.id ?? newId('usr')
      if (!before) {
        await trx
          .insertInto('users')
          .values({ id, email, name: body.name, operator: body.operator, created_at: at })
          .execute()
      }
      // One open link per person: an older one ends here.
      await trx.deleteFrom('invitations').where('user_id', '=', id).where('used_at', 'is', null).execute()
      const expires_at = new Date(at.getTime() + inviteMs)
      await trx.insertInto('invitations').values({ hash, user_id: id, created_at: at, expires_at }).execute()
      const entry = { project: null, deployment: null, type: 'user.invited', actor, message: `${email} was invited.` }
      await appendAudit(trx, [{ ...entry, at: at.getTime() }])
      return trx.selectFrom('users').select(userColumns).where('id', '=', id).executeTakeFirstOrThrow()
    })
    return { user: userView(row), link: `${settings.publicUrl}/invitation?token=${secret}` }
  },

  removeUser: async ({ params, principal, actor }, { db, clock }) => {
    if (isPerson(principal) && principal.id === params.id) {
      throw conflict('You cannot remove yourself.', 'Have another operator do it.')
    }
    const at = new Date(clock.now())
    await db.transaction().execute(async (trx) => {
      const row = await trx
        .updateTable('users')
        .set({ removed_at: at, password: null })
        .where('id', '=', params.id)
        .where('removed_at', 'is', null)
        .returning('email')
        .executeTakeFirst()
      if (!row) throw notFound(`user ${params.id}`)
      await trx.deleteFrom('sessions').where('user_id', '=', params.id).execute()
      await trx.deleteFrom('invitations').where('user_id', '=', params.id).execute()
      await trx.deleteFrom('members').where('user_id', '=', params.id).execute()
      await trx
        .updateTable('tokens')
        .set({ revoked_at: at })
        .where('user_id', '=', params.id)
        .where('revoked_at', 'is', null)
        .execute()
      const entry = {
        project: null,
        deployment: null,
        type: 'user.removed',
        actor,
        message: `${row.email} was removed.`,
      }
      await appendAudit(trx, [{ ...entry, at: at.getTime() }])
    })
    return undefined
  },

  listMembers: async ({ params }, { db }) => {
    await findProject(db, params.project)
    const rows = await db
      .selectFrom('members')
      .innerJoin('users', 'users.id', 'members.user_id')
      .select(userColumns)
      .select('members.role')
      .where('members.project', '=', params.project)
      .orderBy('users.email')
      .execute()
    return { items: rows.map((row) => ({ user: userView(row), role: row.role })) }
  },

  setMember: async ({ params, body, actor }, { db, clock }) => {
    const row = await db.transaction().execute(async (trx) => {
      await findProject(trx, params.project)
      const user = await findUser(trx, params.user)
      await trx
        .insertInto('members')
        .values({ project: params.project, user_id: user.id, role: body.role })
        .onConflict((conflict) => conflict.columns(['project', 'user_id']).doUpdateSet({ role: body.role }))
        .execute()
      const message = `${user.email} is ${body.role} of ${params.project} now.`
      const entry = { project: params.project, deployment: null, type: 'member.set', actor, message, at: clock.now() }
      await appendAudit(trx, [entry])
      return user
    })
    return { user: userView(row), role: body.role }
  },

  removeMember: async ({ params, actor }, { db, clock }) => {
    await db.transaction().execute(async (trx) => {
      const user = await findUser(trx, params.user)
      const gone = await trx
        .deleteFrom('members')
        .where('project', '=', params.project)
        .where('user_id', '=', user.id)
        .returning('role')
        .executeTakeFirst()
      if (!gone) throw notFound(`member ${params.user}`)
      const message = `${user.email} is no longer part of ${params.project}.`
      const entry = {
        project: params.project,
        deployment: null,
        type: 'member.removed',
        actor,
        message,
        at: clock.now(),
      }
      await appendAudit(trx, [entry])
    })
    return undefined
  },
} satisfies Partial<Handlers>

/** By id or e-mail address. */
async function findUser(db: Database | Trx, user: string) {
  const row = await db
    .selectFrom('users')
    .select(userColumns)
    .where((eb) => eb.or([eb('id', '=', user), eb('email', '=', user.toLowerCase())]))
    .where('removed_at', 'is', null)
    .executeTakeFirst()
  if (!row) throw notFound(`user ${user}`)
  return row
}

import { LandfallError } from '@landfall/stack'
import { appendAudit } from '../../audit/append-audit.ts'
import { checkPassword, hashPassword } from '../../auth/password.ts'
import { endCookie, startSession } from '../../auth/sessions.ts'
import { hashToken } from '../../auth/token.ts'
import type { Handlers } from '../../http/handler.ts'
import { isPerson } from '../../http/principal.ts'
import { newId } from '../../store/new-id.ts'
import { userColumns, userView } from '../views/account-views.ts'

export const authHandlers = {
  bootstrap: async ({ body, peer, reply }, services) => {
    const { db, clock, attempts } = services
    const now = clock.now()
    attempts.check([`link ${peer}`], now)
    // Before the transaction: it takes long on purpose.
    const password = JSON.stringify(await hashPassword(body.password))
    const user = await db.transaction().execute(async (trx) => {
      const link = await trx
        .selectFrom('invitations')
        .selectAll()
        .where('hash', '=', hashToken(body.token))
        .where('used_at', 'is', null)
        .where('expires_at', '>', new Date(now))
        .forUpdate()
        .executeTakeFirst()
      if (!link) {
        attempts.failed([`link ${peer}`], now)
        throw new LandfallError({
          code: 'E_LINK_INVALID',
          message: 'This link was used, has expired, or never was one.',
          hint: 'Ask an operator for a new invitation; for the first account, start the manager again: it prints a new link.',
        })
      }
      const id = link.user_id ?? newId('usr')
      if (link.user_id === null) {
        if (!body.email) throw emailNeeded()
        const email = body.email.toLowerCase()
        await trx
          .insertInto('users')
          .values({ id, email, name: body.name, operator: true, password, created_at: new Date(now) })
          .execute()
      } else {
        await trx.updateTable('users').set({ name: body.name, password }).where('id', '=', id).execute()
        // Whoever was signed in with the old password is not any more.
        await trx.deleteFrom('sessions').where('user_id', '=', id).execute()
      }
      await trx
        .updateTable('invitations')
        .set({ used_at: new Date(now) })
        .where('hash', '=', link.hash)
        .execute()
      const row = await trx.selectFrom('users').select(userColumns).where('id', '=', id).executeTakeFirstOrThrow()
      reply.append('set-cookie', await startSession(trx, id, services))
      const first = link.user_id === null
      await appendAudit(trx, [
        {
          project: null,
          deployment: null,
          type: 'user.joined',
          actor: row.email,
          message: first ? `${row.email} made the first account, as operator.` : `${row.email} took the invitation.`,
          at: now,
        },
      ])
      return row
    })
    return { user: userView(user) }
  },

  login: async ({ body, peer, reply }, services) => {
    const { db, clock, attempts } = services
    const email = body.email.toLowerCase()
    const keys = [`account ${email}`, `peer ${peer}`]
    attempts.check(keys, clock.now())
    const row = await db
      .selectFrom('users')
      .select(userColumns)
      .select('password')
      .where('email', '=', email)
      .where('removed_at', 'is', null)
      .executeTakeFirst()
    if (!(await checkPassword(body.password, row?.password ?? null)) || !row) {
      attempts.failed(keys, clock.now())
      throw new LandfallError({
        code: 'E_LOGIN_FAILED',
        message: 'There is no account with this address and password.',
        hint: 'Check both. An operator can invite you again, which lets you set a new password.',
      })
    }
    // The peer's count stays: one good account must not buy further guesses at others.
    attempts.succeeded([`account ${email}`])
    reply.append('set-cookie', await startSession(db, row.id, services))
    return { user: userView(row) }
  },

  logout: async ({ principal, reply }, { db, settings }) => {
    if (isPerson(principal) && principal.kind === 'session') {
      await db.deleteFrom('sessions').where('hash', '=', Buffer.from(principal.credential, 'hex')).execute()
    }
    reply.append('set-cookie', endCookie(settings.publicUrl))
    return undefined
  },

  authProviders: async (_, { db, settings }) => {
    const anyone = await db.selectFrom('users').select('id').where('removed_at', 'is', null).limit(1).executeTakeFirst()
    return {
      local: true,
      needsBootstrap: anyone === undefined,
      oidc: settings.oidc ? { name: settings.oidc.name } : null,
    }
  },

  oidcStart: async ({ query, headers }, services) => services.singleSignOn.start(query.to ?? '/', services, headers),
  oidcCallback: async ({ headers, query }, services) => services.singleSignOn.finish(headers, query, services),
} satisfies Partial<Handlers>

function emailNeeded(): LandfallError {
  return new LandfallError({
    code: 'E_INVALID_REQUEST',
    message: 'The first account needs an e-mail address.',
    hint: 'Send `email` too.',
    problems: [{ path: 'email', message: 'is missing' }],
  })
}

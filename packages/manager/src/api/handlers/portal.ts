import type { Handlers } from '../../http/handler.ts'
import { isPerson, type Principal } from '../../http/principal.ts'
import type { Services } from '../../http/services.ts'
import { changeCustomer } from '../../portal/change-customer.ts'
import { createLink } from '../../portal/create-link.ts'
import { giveAnswer } from '../../portal/give-answer.ts'
import { portalView } from '../../portal/portal-view.ts'
import type { Trx } from '../../store/database.ts'
import { type DeploymentRow, findDeployment, lockDeployment } from '../../store/deployments/find-deployment.ts'
import { wakeRollouts } from '../../store/rollouts/wake-rollouts.ts'
import { bumpGeneration } from '../../store/targets/tell-target.ts'
import { change, note } from './change-deployment.ts'

export const portalHandlers = {
  createPortalLink: async ({ params, body, principal, actor }, services) => {
    const by = await linkOf(services, principal)
    const { publicUrl } = services.settings
    return locked(services, params, (trx, row, at) => createLink(trx, row, { ...body, by, publicUrl, actor, at }))
  },

  getPortal: async ({ params, principal }, services) => {
    const row = await findDeployment(services.db, params.project, params.deployment)
    const link = await linkOf(services, principal)
    const expiresAt = link && new Date(link.expiresAt).toISOString()
    return portalView(services.db, row, services.clock.now(), expiresAt)
  },

  answerRequest: ({ params, body, actor }, services) =>
    locked(services, params, (trx, row, at) => giveAnswer(trx, row, body, actor, at)),

  changeCustomerSettings: ({ params, body, actor }, services) =>
    locked(services, params, (trx, row, at) => changeCustomer(trx, row, body, actor, at)),

  leaveVendor: ({ params, actor }, services) =>
    change(services, params, async (trx, row, at) => {
      if (row.operation === 'destroy') return
      await trx.updateTable('deployments').set({ operation: 'destroy' }).where('id', '=', row.id).execute()
      await bumpGeneration(trx, row.id)
      await wakeRollouts(trx, row.project, row.channel)
      const waits = row.customer.access === 'revoked' ? ' It waits until access is granted again.' : ''
      const message = `The customer leaves: ${row.name} is to be destroyed with all it made.${waits}`
      await note(trx, row, 'customer.left', actor, message, at)
    }),
} satisfies Partial<Handlers>

/** One act of the customer's: under the deployment's row, all or nothing; then everybody concerned is woken. */
async function locked<T>(
  { db, clock, waker }: Services,
  params: { project: string; deployment: string },
  act: (trx: Trx, row: DeploymentRow, at: number) => Promise<T>,
): Promise<T> {
  const at = clock.now()
  const result = await db
    .transaction()
    .execute(async (trx) => act(trx, await lockDeployment(trx, params.project, params.deployment), at))
  waker.wake('deployments', 'rollouts', 'commands', 'changes')
  return result
}

/** The link that calls, and when it ends, in milliseconds; null for people. */
async function linkOf({ db }: Services, principal: Principal | null) {
  if (principal === null || isPerson(principal)) return null
  const token = await db.selectFrom('tokens').select('expires_at').where('id', '=', principal.token).executeTakeFirst()
  return token ? { id: principal.token, expiresAt: token.expires_at.getTime() } : null
}

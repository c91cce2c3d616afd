import { LandfallError } from '@landfall/stack'
import { agentBlob, agentRelease } from '../../agents/agent-releases.ts'
import { agentView } from '../../agents/agent-view.ts'
import { beginSession } from '../../agents/begin-session.ts'
import { bundleOrder } from '../../agents/bundle-order.ts'
import { enrol } from '../../agents/enrol.ts'
import { newestKeyset } from '../../agents/keyset.ts'
import { sendBlob } from '../../agents/send-blob.ts'
import { setUpAgent } from '../../agents/set-up.ts'
import { noteBundle } from '../../exports/note-bundle.ts'
import type { Handlers } from '../../http/handler.ts'
import type { MachinePrincipal, Principal } from '../../http/principal.ts'
import { forbidden } from '../../http/refusals.ts'
import type { Services } from '../../http/services.ts'
import { findDeployment, lockDeployment } from '../../store/deployments/find-deployment.ts'
import { findRelease } from '../../store/releases/find-release.ts'

export const agentHandlers = {
  enrolAgent: async ({ body, peer }, services) => {
    const { db, clock, waker } = services
    const at = clock.now()
    // By deployment too: behind one proxy, an agent with an old setup must not keep the others out.
    const enrolled = await guarded(services, `enrolment ${peer} ${body.deployment}`, 'E_ENROLMENT_REFUSED', () =>
      db.transaction().execute((trx) => enrol(trx, body, { at, via: 'sync' })),
    )
    if (enrolled.fresh) waker.wake('changes')
    const { deployment, key, enrolledAt } = enrolled
    return { deployment, key, enrolledAt: enrolledAt.toISOString() }
  },

  // Not slowed down: a signature can't be guessed, and an agent that was replaced asks on and on from behind the others' proxy.
  beginAgentSession: async ({ body }, { db, clock, agents }) => {
    const { deployment, ...session } = await beginSession(db, agents.tokens, body, clock.now())
    agents.hub.sessionBegan(deployment, session.number)
    return { ...session, poll: agents.poll }
  },

  sync: async ({ body, principal, signal }, { agents }) => agents.hub.sync(inSession(principal), body, signal),

  getAgentRelease: async ({ params, principal }, { db }) => agentRelease(db, ofDeployment(principal), params.digest),

  getAgentBlob: async ({ params, principal, headers }, { db }) => {
    const blob = await agentBlob(db, ofDeployment(principal), params.digest)
    return sendBlob(blob, params.digest, headers.get('range'))
  },

  getAgentKeyset: async ({ principal }, { db }) => newestKeyset(db, ofDeployment(principal).project),

  createAgentSetup: async ({ params, body, actor }, services) => {
    const { db, clock, agents, settings, waker, afterCommit } = services
    const at = clock.now()
    const url = body.url ?? settings.publicUrl
    const of = { replace: body.replace, url, replySeal: agents.reply.publicKey, actor, at }
    const setup = await db.transaction().execute(async (trx) => {
      const row = await lockDeployment(trx, params.project, params.deployment)
      return setUpAgent(trx, row, of)
    })
    // An agent that was replaced is refused here at once, elsewhere when that manager reads its agents again.
    if (body.replace) await afterCommit(() => agents.hub.reread())
    waker.wake('changes')
    return setup
  },

  getAgent: async ({ params }, { db }) => agentView(db, await findDeployment(db, params.project, params.deployment)),

  createBundleOrder: async ({ params, body, actor }, { db, clock, keyring, waker }) => {
    const at = clock.now()
    const made = await db.transaction().execute(async (trx) => {
      const row = await lockDeployment(trx, params.project, params.deployment)
      const order = await bundleOrder(trx, keyring, row, { release: body.release, force: body.force, actor, at })
      const release = order.target ? await findRelease(trx, row.project, order.target.release) : null
      const { generation } = order
      await noteBundle(trx, { project: row.project, deployment: row.id, release, generation, actor, at })
      return { order, keyset: await newestKeyset(trx, row.project) }
    })
    waker.wake('deployments', 'rollouts', 'changes')
    return made
  },
} satisfies Partial<Handlers>

/** Slows down whoever is refused again and again. */
async function guarded<T>(
  { attempts, clock }: Services,
  key: string,
  refusal: string,
  attempt: () => Promise<T>,
): Promise<T> {
  attempts.check([key], clock.now())
  try {
    return await attempt()
  } catch (error) {
    if (LandfallError.is(error, refusal)) attempts.failed([key], clock.now())
    throw error
  }
}

/** An agent by the token of its deployment: that of a session, or one that was issued for telemetry. */
function ofDeployment(principal: Principal | null): { deployment: string; project: string } {
  if (principal?.kind !== 'agent' || principal.deployment === null) throw forbidden('the token of a deployment')
  return { deployment: principal.deployment, project: principal.project }
}

function inSession(principal: Principal | null): MachinePrincipal {
  if (principal?.kind === 'agent' && principal.session !== undefined) return principal
  throw forbidden('the session of an enrolled agent')
}

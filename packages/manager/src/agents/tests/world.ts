import { LandfallError } from '@landfall/stack'
import type { Pool } from 'pg'
import { TestAgent } from '../../testing/agent.ts'
import type { TestServer } from '../../testing/database.ts'
import { createTestManager } from '../../testing/manager.ts'

/** A vendor with a published release, and deployments that agents run; for the tests of this room. */
export async function createWorld(server: TestServer) {
  const manager = await createTestManager(server)
  const project = 'acme'
  const vendor = await manager.project(project)
  const ci = manager.client(await manager.machine('ci', { project }))
  const admin = manager.client((await manager.person('admin', { project, role: 'admin' })).token)
  // Tests move the clock by weeks.
  await manager.db
    .updateTable('tokens')
    .set({ expires_at: new Date('2030-01-01') })
    .execute()
  const of = (deployment: string) => ({ project, deployment })
  const create = (name: string, more: object = {}) =>
    admin.createDeployment({
      params: { project },
      body: { name, platform: 'local', model: 'pull', secrets: { 'stripe-key': `sk_${name}` }, ...more },
    })
  return {
    manager,
    project,
    vendor,
    ci,
    admin,
    of,
    create,
    publish: async (version: string, sequence: number) => {
      const release = await vendor.release({ version, sequence })
      await ci.putBlob({ params: { project, digest: release.digest }, body: release.blob })
      const made = await ci.createRelease({ params: { project }, body: { envelope: release.envelope } })
      return { ...release, release: made.release.digest }
    },
    /** Tells a deployment a release, as its own. */
    tell: (name: string, version: string) => admin.updateDeployment({ params: of(name), body: { pin: version } }),
    setUp: (name: string, more: { replace?: boolean } = {}) => admin.createAgentSetup({ params: of(name), body: more }),
    agent: async (name: string) =>
      new TestAgent(manager.client, await admin.createAgentSetup({ params: of(name), body: {} })),
    /** A deployment with an agent in a session. */
    running: async (name: string, more: object = {}) => {
      await create(name, more)
      const agent = new TestAgent(manager.client, await admin.createAgentSetup({ params: of(name), body: {} }))
      await agent.enrol()
      await agent.begin()
      return agent
    },
    /** Entries of the deployment's chain, newest first. */
    audit: async (name: string) => (await admin.listDeploymentAudit({ params: of(name), query: { limit: 200 } })).items,
  }
}
export type World = Awaited<ReturnType<typeof createWorld>>

/** How often a connection was taken out of the pool while `work` ran: every query takes one. */
export async function operations(pool: Pool, work: () => Promise<unknown>): Promise<number> {
  let count = 0
  const note = () => {
    count += 1
  }
  pool.on('acquire', note)
  try {
    await work()
  } finally {
    pool.off('acquire', note)
  }
  return count
}

/** The code that a call is refused with; `none` when it is not. */
export function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'none',
    (error: unknown) => (LandfallError.is(error) ? error.code : String(error)),
  )
}

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock, Limits } from '@landfall/engine'
import { exampleManifest, MemoryPlatform, MemorySources } from '@landfall/engine/testing'
import type { Model, RolloutPlanInput } from '@landfall/stack'
import { localMasterKey } from '../../secrets/master-key.ts'
import { openKeyring } from '../../secrets/open-keyring.ts'
import type { OpenDatabase } from '../../store/database.ts'
import { setSecret } from '../../store/secrets/set-secret.ts'
import type { StoredPlan } from '../../store/tables/releases.ts'
import type { ControlDeps } from '../control.ts'
import { createRollout } from '../create-rollout.ts'
import { startControl } from '../start.ts'
import { seedDeployment, seedProject } from './seed.ts'

export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}),
}

/** Everything fast, so that a rollout of seconds takes a fraction of one. */
export const fastLimits: Partial<Limits> = {
  leaseMs: 5_000,
  backoffBaseMs: 20,
  rolloutTickMs: 40,
  steadyMs: 1_000,
  driftMs: 2_000,
  lingerMs: 100,
}

export const fastCanary: RolloutPlanInput = {
  strategy: 'canary',
  steps: [{ share: 30, bake: '200ms' }],
  analysis: [{ kind: 'compare', metric: 'error-rate', worseBy: 0.01, minSample: 50 }],
}

export const plan = (waves: StoredPlan['waves'], more: Partial<StoredPlan> = {}): StoredPlan => ({
  waves,
  maxInFlight: 50,
  minSuccess: 100,
  maxFailures: 1,
  onFailure: 'abort',
  rollbackReached: true,
  ...more,
})

/** A project with deployments in an environment in memory, over a real database. */
export async function testFleet(database: OpenDatabase) {
  const { db, pool } = database
  const platform = new MemoryPlatform(realClock)
  platform.requestsPerSecond = 3_000
  const sources = new MemorySources()
  const keyring = await openKeyring(db, localMasterKey(randomBytes(32)), Date.now())
  const warnings: string[] = []
  const log = {
    info: () => {},
    warn: (message: string, fields?: unknown) => warnings.push(`${message} ${JSON.stringify(fields ?? {})}`),
  }
  await seedProject(db, 'shop')
  let sequence = 0
  const deps: ControlDeps = {
    db,
    pool,
    clock: realClock,
    random: { next: () => Math.random() },
    log,
    keyring,
    platforms: { local: platform },
    owner: 'manager-1',
    limits: fastLimits,
    verifier: sources,
  }
  return {
    db,
    platform,
    sources,
    keyring,
    warnings,
    deps,
    start: (more: Partial<ControlDeps> = {}) => startControl({ ...deps, ...more }),
    /** Publishes a release; deployments that are not set up yet are set up with it. */
    async release(version: string, options: { code?: string } = {}) {
      sequence += 1
      const manifest = exampleManifest({ code: options.code ?? version, rollout: fastCanary })
      const { release: digest } = sources.release(version, sequence, manifest)
      const at = new Date()
      await db
        .insertInto('releases')
        .values({
          project: 'shop',
          digest,
          version,
          channel: 'stable',
          sequence,
          envelope: '{}',
          statement: JSON.stringify({ version, manifest }),
          signed_by: '[]',
          created_at: at,
          published_at: at,
          published_by: 'test',
        })
        .execute()
      await db.updateTable('deployments').set({ setup_release: digest }).where('setup_release', 'is', null).execute()
      return digest
    },
    rollOut: (release: string, given?: StoredPlan) =>
      db
        .transaction()
        .execute((trx) => createRollout(trx, { project: 'shop', release, plan: given, by: 'test', at: Date.now() })),
    async deploy(id: string, more: { group?: string; setup?: string; model?: Model } = {}) {
      if (more.group !== undefined) {
        await db
          .insertInto('groups')
          .values({ project: 'shop', name: more.group })
          .onConflict((conflict) => conflict.doNothing())
          .execute()
      }
      const given = { group_name: more.group ?? null, setup_release: more.setup ?? null, model: more.model ?? 'push' }
      await seedDeployment(db, { id, project: 'shop', ...given })
      await db
        .transaction()
        .execute((trx) =>
          setSecret(trx, keyring, { deployment: id, name: 'key', value: 'hunter2', by: 'test', at: Date.now() }),
        )
    },
    /** Release version that every deployment rests on, by id; null where none, or where it is on its way. */
    async versions(): Promise<Record<string, string | null>> {
      const rows = await db
        .selectFrom('deployments')
        .leftJoin('releases', 'releases.digest', 'deployments.actual_release')
        .select(['deployments.id', 'deployments.phase', 'releases.version'])
        .where('deleted_at', 'is', null)
        .orderBy('deployments.id')
        .execute()
      return Object.fromEntries(rows.map((row) => [row.id, row.phase === 'running' ? row.version : null]))
    },
    async phase(rollout: string) {
      return (await db.selectFrom('rollouts').select('phase').where('id', '=', rollout).executeTakeFirstOrThrow()).phase
    },
    /** Waits until it holds; fails with what is there after `maxMs`. */
    async until(holds: () => Promise<boolean>, maxMs = 120_000): Promise<void> {
      const end = Date.now() + maxMs
      while (!(await holds())) {
        if (Date.now() > end) {
          const rows = await db.selectFrom('deployments').select(['id', 'phase', 'state']).execute()
          const states = rows.map((row) => `${row.id} ${row.phase} ${row.state?.reason.message}`)
          const rollouts = await db.selectFrom('rollouts').select(['id', 'phase', 'state']).execute()
          const fleets = rollouts.map((row) => `${row.id} ${row.phase} ${row.state?.reason.message}`)
          throw new Error(`not reached:\n${[...states, ...fleets, ...warnings.slice(-10)].join('\n')}`)
        }
        await sleep(25)
      }
    },
  }
}

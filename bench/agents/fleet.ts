import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient, sessionPayloadType } from '@landfall/contract'
import { startManager } from '@landfall/manager'
import { createVendor, startTestServer } from '@landfall/manager/testing'
import { keyIdOf, SigningKey, signEnvelope } from '@landfall/release'
import { canonicalJson } from '@landfall/stack'
import { sql } from 'kysely'
import { fillBoxes } from '../../packages/manager/src/agents/order/fill-boxes.ts'
import { readMasterKey } from '../../packages/manager/src/secrets/key-file.ts'
import type { Keyring } from '../../packages/manager/src/secrets/keyring.ts'
import { openKeyring } from '../../packages/manager/src/secrets/open-keyring.ts'
import { type Database, openDatabase } from '../../packages/manager/src/store/database.ts'
import { secretContext } from '../../packages/manager/src/store/secrets/set-secret.ts'
import { firstToken } from '../../test/harness/first-token.ts'
import { cloneDeployment } from '../shared/clone-deployment.ts'

const project = 'shop'
const secret = 'stripe-key'

/**
 * A real manager with a vendor's project, and many deployments whose agents are enrolled, each with a secret of its own. All agents have
 * one pair of keys: making keys is not what is measured.
 *
 * @param waitMs how long the manager holds a sync
 */
export async function startAgentFleet(count: number, waitMs: number) {
  const server = await startTestServer()
  const directory = await mkdtemp(join(tmpdir(), 'landfall-bench-'))
  const { url: databaseUrl } = await server.empty()
  const agents = { intervalMs: 30_000, jitterMs: 10_000, waitMs }
  const manager = await startManager({ dataDir: directory, port: 0, databaseUrl, webDirectory: null, agents })
  const database = openDatabase(databaseUrl, { size: 2 })
  const { db } = database
  const client = createClient({ url: manager.url, token: await firstToken(manager) })
  const vendor = createVendor(project, Date.now())
  const keyset = await vendor.keyset(1)
  await client.createProject({ body: { name: project, rootPublicKey: vendor.root.publicKey, keyset } })
  const publish = async (version: string, sequence: number, more: { maxInFlight?: number } = {}) => {
    const { envelope, digest, blob } = await vendor.release({ version, sequence })
    await client.putBlob({ params: { project, digest }, body: blob })
    const waves = [{ name: 'all', share: 100, soak: '0s' }]
    const plan = more.maxInFlight === undefined ? {} : { plan: { waves, maxInFlight: more.maxInFlight } }
    const rollout = more.maxInFlight === undefined ? ('none' as const) : ('start' as const)
    return () => client.createRelease({ params: { project }, body: { envelope, rollout, ...plan } })
  }
  await (await publish('1.0.0', 1))()
  const model = { name: 'model', platform: 'local' as const, model: 'pull' as const, setup: true }
  await client.createDeployment({ params: { project }, body: { ...model, secrets: { [secret]: 'sk_model' } } })
  await client.createAgentSetup({ params: { project, deployment: model.name }, body: {} })
  const { id } = await db.selectFrom('deployments').select('id').where('name', '=', 'model').executeTakeFirstOrThrow()
  await cloneDeployment(db, id, count - 1)
  const keyring = await openKeyring(db, await readMasterKey(join(directory, 'master.key')), Date.now())
  await sealSecrets(db, keyring)
  const sign = new SigningKey(generateKeyPairSync('ed25519').privateKey)
  const seal = generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  await sql`insert into agents (deployment, audit_hash) select d.id, a.audit_hash from deployments d, agents a
    on conflict do nothing`.execute(db)
  await sql`update agents set sign_key = ${sign.publicKey}, seal_key = ${seal},
    key_id = ${keyIdOf(Buffer.from(sign.publicKey, 'base64'))}, enrolled_at = now()`.execute(db)
  const rows = await db.selectFrom('deployments').select('id').orderBy('id').execute()
  return {
    db,
    port: Number(new URL(manager.url).port),
    deployments: rows.map((row) => row.id),
    /** Uploads and signs a release; what it answers publishes it. With `maxInFlight` to everybody at once. */
    publish,
    /** Seals all secrets to the agents, as the manager does once a minute where there are new ones. */
    sealBoxes: () => fillBoxes(db, keyring, async () => {}),
    /** A bearer token of a session that begins now, by the signed request of the contract. */
    begin: async (deployment: string): Promise<string> => {
      const nonce = randomBytes(24).toString('base64url')
      const content = Buffer.from(canonicalJson({ deployment, previous: 0, nonce }))
      const body = await signEnvelope(sessionPayloadType, content, [sign])
      return (await client.beginAgentSession({ body })).token
    },
    stop: async () => {
      await manager.stop()
      await database.close()
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** A secret opens in its own row alone: each copy gets one that does. */
async function sealSecrets(db: Database, keyring: Keyring): Promise<void> {
  const rows = await db.selectFrom('secrets').select(['deployment', 'name', 'version']).execute()
  const ids = rows.map((row) => row.deployment)
  const sealed = rows.map(({ deployment, name, version }) =>
    keyring.seal(`sk_${deployment}`, secretContext(deployment, name, version)).toString('hex'),
  )
  await sql`update secrets s set sealed = decode(g.sealed, 'hex')
    from unnest(${ids}::text[], ${sealed}::text[]) as g (deployment, sealed) where s.deployment = g.deployment`.execute(
    db,
  )
}

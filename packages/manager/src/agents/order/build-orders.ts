import type { Order } from '@landfall/contract'
import { sealTo } from '@landfall/release'
import { digestOf, LandfallError } from '@landfall/stack'
import { sql } from 'kysely'
import { type DesiredRow, desiredColumns, desiredOf } from '../../control/store/desired-row.ts'
import type { Keyring } from '../../secrets/keyring.ts'
import type { Database, Trx } from '../../store/database.ts'
import { secretContext } from '../../store/secrets/set-secret.ts'
import type { ConfigDocument, StoredPolicy } from '../../store/tables/deployments.ts'
import { notEnrolled } from '../refusals.ts'

/** An order, or why this one can't be made; the others are made all the same. */
export type Built = Order | LandfallError

interface Row extends DesiredRow {
  customer: Order['customer']
  policy: StoredPolicy
  seal_key: string | null
}

/**
 * The orders of many deployments in three queries: what is asked of each, the config of its target, and the secrets of that config, each
 * sealed to the key of the agent that is enrolled. Deployments that are not there, or not any more, are left out.
 */
export async function buildOrders(
  db: Database | Trx,
  keyring: Keyring,
  deployments: readonly string[],
): Promise<Map<string, Built>> {
  const rows: Row[] = await db
    .selectFrom('deployments')
    .leftJoin('agents', 'agents.deployment', 'deployments.id')
    .select((builder) => [...desiredColumns(builder), 'agents.seal_key'])
    .where('deployments.id', 'in', [...deployments])
    .where('deployments.deleted_at', 'is', null)
    .execute()
  const configs = await readConfigs(db, rows)
  const secrets = await readSecrets(db, configs)
  const attempt = (row: Row): Built => {
    try {
      const config = configs.get(row.id) ?? null
      return orderOf(row, config, sealSecrets(keyring, row, config, secrets))
    } catch (error) {
      if (LandfallError.is(error)) return error
      throw error
    }
  }
  return new Map(rows.map((row) => [row.id, attempt(row)]))
}

/** The same for one. @throws LandfallError `E_NOT_FOUND`, `E_AGENT_NOT_ENROLLED`, `E_CONFIG_UNKNOWN`, `E_SECRET_MISSING` */
export async function buildOrder(db: Database | Trx, keyring: Keyring, deployment: string): Promise<Order> {
  const built = (await buildOrders(db, keyring, [deployment])).get(deployment)
  if (built && !(built instanceof LandfallError)) return built
  throw built ?? unknownConfig('of a deployment that is gone')
}

function orderOf(row: Row, config: ConfigDocument | null, secrets: Order['secrets']): Order {
  const { controls, answers, ...desired } = desiredOf(row)
  if (row.target !== null && (config === null || digestOf(config) !== row.target.config)) {
    throw unknownConfig(row.target.config)
  }
  const { drift, windowClose, trustedKeys } = row.policy
  return {
    schema: 'landfall.dev/order/v1',
    generation: desired.generation,
    deployment: { ...desired.deployment },
    operation: desired.operation,
    target: desired.target,
    setup: desired.setup,
    controls: [...controls],
    // What was answered at the agent is its own: it does not come back as the manager's word.
    answers: answers.filter(({ by }) => !by.startsWith('agent:')),
    customer: row.customer,
    policy: { drift, windowClose, trustedKeys },
    config,
    secrets,
  }
}

async function readConfigs(db: Database | Trx, rows: readonly Row[]): Promise<Map<string, ConfigDocument>> {
  const wanted = rows.flatMap(({ id, target }) => (target === null ? [] : [{ id, config: target.config }]))
  if (wanted.length === 0) return new Map()
  const ids = wanted.map(({ id }) => id)
  const digests = wanted.map(({ config }) => config)
  const found = await sql<{ deployment: string; document: ConfigDocument }>`
    select c.deployment, c.document from unnest(${ids}::text[], ${digests}::text[]) as w (deployment, digest)
    join configs c on c.deployment = w.deployment and c.digest = w.digest`.execute(db)
  return new Map(found.rows.map(({ deployment, document }) => [deployment, document]))
}

/** By `secretContext`. */
async function readSecrets(
  db: Database | Trx,
  configs: ReadonlyMap<string, ConfigDocument>,
): Promise<Map<string, Buffer>> {
  const wanted = [...configs].flatMap(([deployment, { secrets }]) =>
    Object.entries(secrets).map(([name, { version }]) => ({ deployment, name, version })),
  )
  if (wanted.length === 0) return new Map()
  const found = await sql<{ deployment: string; name: string; version: number; sealed: Buffer }>`
    select s.deployment, s.name, s.version, s.sealed
    from unnest(${wanted.map((one) => one.deployment)}::text[], ${wanted.map((one) => one.name)}::text[],
      ${wanted.map((one) => one.version)}::int[]) as w (deployment, name, version)
    join secrets s on s.deployment = w.deployment and s.name = w.name and s.version = w.version`.execute(db)
  return new Map(found.rows.map((row) => [secretContext(row.deployment, row.name, row.version), row.sealed]))
}

function sealSecrets(
  keyring: Keyring,
  row: Row,
  config: ConfigDocument | null,
  stored: ReadonlyMap<string, Buffer>,
): Order['secrets'] {
  const wanted = Object.entries(config?.secrets ?? {})
  if (wanted.length === 0) return []
  const key = row.seal_key
  if (key === null) throw notEnrolled(row.name)
  return wanted.map(([name, { version }]) => {
    const context = secretContext(row.id, name, version)
    const sealed = stored.get(context)
    if (!sealed) throw missingSecret(name)
    return { name, version, sealed: sealTo(key, keyring.open(sealed, context), context) }
  })
}

function missingSecret(name: string): LandfallError {
  return new LandfallError({
    code: 'E_SECRET_MISSING',
    message: `The secret ${name} has no value in this config.`,
    hint: 'Set it, which makes a new target.',
  })
}

function unknownConfig(config: string): LandfallError {
  return new LandfallError({
    code: 'E_CONFIG_UNKNOWN',
    message: `The config ${config} is not in the store, or was changed there.`,
    hint: 'Set the inputs of the deployment again, which makes a new config.',
  })
}

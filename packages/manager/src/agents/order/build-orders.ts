import type { Order } from '@landfall/contract'
import { digestOf, LandfallError } from '@landfall/stack'
import { sql } from 'kysely'
import { type DesiredRow, desiredColumns, desiredOf } from '../../control/store/desired-row.ts'
import type { Keyring } from '../../secrets/keyring.ts'
import type { Database, Trx } from '../../store/database.ts'
import type { ConfigDocument, StoredPolicy } from '../../store/tables/deployments.ts'
import { notEnrolled } from '../refusals.ts'
import { type Boxes, readBoxes } from './boxes.ts'

/** An order, or why this one can't be made; the others are made all the same. */
export type Built = Order | LandfallError

interface Row extends DesiredRow {
  customer: Order['customer']
  policy: StoredPolicy
  seal_key: string | null
}

/**
 * The orders of many deployments in three queries: what is asked of each, the config of its target, and the secrets of that config, each
 * sealed to the key of the agent that is enrolled, before (`fillBoxes`) or now. Deployments that are not there, or not any more, are left out.
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
    .where(sql<boolean>`deployments.id = any(${[...deployments]}::text[])`)
    .where('deployments.deleted_at', 'is', null)
    .execute()
  const configs = await readConfigs(db, rows)
  const configOf = (row: Row) => configs.get(row.id) ?? null
  const boxes = await readBoxes(
    db,
    keyring,
    rows.flatMap((row) => wantedBoxes(row, configOf(row))),
  )
  const attempt = (row: Row): Built => {
    try {
      const config = configOf(row)
      return orderOf(row, config, sealSecrets(row, config, boxes))
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

/** Those of the agents that are enrolled; the others get no order. */
function wantedBoxes(row: Row, config: ConfigDocument | null) {
  const key = row.seal_key
  if (key === null) return []
  return Object.entries(config?.secrets ?? {}).map(([name, { version }]) => ({
    deployment: row.id,
    name,
    version,
    key,
  }))
}

function sealSecrets(row: Row, config: ConfigDocument | null, boxes: Boxes): Order['secrets'] {
  if (row.seal_key === null && Object.keys(config?.secrets ?? {}).length > 0) throw notEnrolled(row.name)
  return wantedBoxes(row, config).map((wanted) => ({
    name: wanted.name,
    version: wanted.version,
    sealed: boxes.take(wanted),
  }))
}

function unknownConfig(config: string): LandfallError {
  return new LandfallError({
    code: 'E_CONFIG_UNKNOWN',
    message: `The config ${config} is not in the store, or was changed there.`,
    hint: 'Set the inputs of the deployment again, which makes a new config.',
  })
}

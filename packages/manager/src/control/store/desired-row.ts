import type { Desired } from '@landfall/engine'
import { type ExpressionBuilder, sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import type { Schema } from '../../store/database.ts'

/** Newest controls that are handed to the engine; it remembers which it has acted on. */
const controlsAtOnce = 50

/** Columns of `Desired`, controls and gate answers included, in one query. */
export function desiredColumns(builder: ExpressionBuilder<Schema, 'deployments'>) {
  return [
    'deployments.id',
    'deployments.name',
    'deployments.project',
    'deployments.prefix',
    'deployments.platform',
    'deployments.model',
    'deployments.environment',
    'deployments.operation',
    'deployments.target',
    'deployments.setup_release',
    'deployments.policy',
    'deployments.requested_generation',
    jsonArrayFrom(
      builder
        .selectFrom('controls')
        .select(['id', 'kind', 'by', 'reason', sql<number>`extract(epoch from at) * 1000`.as('at')])
        .whereRef('deployment', '=', 'deployments.id')
        .orderBy('at', 'desc')
        .limit(controlsAtOnce),
    ).as('controls'),
    jsonArrayFrom(
      builder
        .selectFrom('gate_answers')
        .select(['gate', 'status', 'message'])
        .whereRef('deployment', '=', 'deployments.id'),
    ).as('gates'),
  ] as const
}

/** What those columns hold. */
export interface DesiredRow {
  id: string
  name: string
  project: string
  prefix: string
  platform: Desired['deployment']['platform']
  model: Desired['deployment']['model']
  environment: Record<string, unknown>
  operation: 'run' | 'destroy'
  target: Desired['target']
  setup_release: string | null
  policy: Desired['policy']
  requested_generation: number
  controls: {
    id: string
    kind: Desired['controls'][number]['kind']
    by: string
    reason: string | null
    at: number
  }[]
  gates: { gate: string; status: 'pass' | 'fail' | 'wait'; message: string | null }[]
}

export function desiredOf(row: DesiredRow): Desired {
  const { id, name, project, prefix, platform, model, environment, policy } = row
  return {
    generation: row.requested_generation,
    deployment: { id, name, project, prefix, platform, model, environment },
    operation: row.operation,
    target: row.target,
    setup: row.setup_release === null ? null : { release: row.setup_release },
    controls: row.controls
      .map(({ reason, at, ...control }) => ({ ...control, at: Number(at), ...(reason === null ? {} : { reason }) }))
      .reverse(),
    gates: Object.fromEntries(
      row.gates.map(({ gate, status, message }) => [gate, { status, ...(message === null ? {} : { message }) }]),
    ),
    policy: { drift: policy.drift, windowClose: policy.windowClose, trustedKeys: policy.trustedKeys },
  }
}

import type { Desired } from '@landfall/engine'
import type { CustomerSettings } from '@landfall/stack'
import { type ExpressionBuilder, sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import type { Schema } from '../../store/database.ts'

/** Newest controls that are handed to the engine; it remembers which it has acted on. */
const controlsAtOnce = 50
/** Newest answers: those for the wanted target are among them, or long over. */
const answersAtOnce = 50

/** Columns of `Desired`, controls and answers included, in one query. */
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
    'deployments.customer',
    'deployments.requested_generation',
    jsonArrayFrom(
      builder
        .selectFrom('controls')
        .select(['id', 'kind', 'by', 'reason', 'controls.target', sql<number>`extract(epoch from at) * 1000`.as('at')])
        .whereRef('deployment', '=', 'deployments.id')
        .orderBy('at', 'desc')
        .limit(controlsAtOnce),
    ).as('controls'),
    jsonArrayFrom(
      builder
        .selectFrom('answers')
        .select([
          'gate',
          'answers.target',
          'status',
          'by',
          'message',
          sql<number>`extract(epoch from at) * 1000`.as('at'),
        ])
        .whereRef('deployment', '=', 'deployments.id')
        // An agent has its own at hand, dated by its own clock: they must not push the portal's out.
        .where('answers.id', 'not like', 'agent:%')
        .orderBy('at', 'desc')
        .limit(answersAtOnce),
    ).as('answers'),
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
    target: string | null
    at: number
  }[]
  customer: CustomerSettings
  answers: (Omit<Desired['answers'][number], 'message'> & { message: string | null })[]
}

export function desiredOf(row: DesiredRow): Desired {
  const { id, name, project, prefix, platform, model, environment, policy, customer } = row
  return {
    generation: row.requested_generation,
    deployment: { id, name, project, prefix, platform, model, environment },
    operation: row.operation,
    target: row.target,
    setup: row.setup_release === null ? null : { release: row.setup_release },
    controls: row.controls
      .map(({ reason, target, at, ...control }) => ({
        ...control,
        at: Number(at),
        ...(reason === null ? {} : { reason }),
        ...(target === null ? {} : { target }),
      }))
      .reverse(),
    customer: { updates: customer.updates, access: customer.access, windows: customer.windows },
    answers: row.answers
      .map(({ message, at, ...answer }) => ({ ...answer, at: Number(at), ...(message === null ? {} : { message }) }))
      .reverse(),
    policy: { drift: policy.drift, windowClose: policy.windowClose, trustedKeys: policy.trustedKeys },
  }
}

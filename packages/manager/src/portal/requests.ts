import type { request } from '@landfall/contract'
import { frozenDifference } from '@landfall/stack'
import type { z } from 'zod'
import type { Database } from '../store/database.ts'
import type { DeploymentRow } from '../store/deployments/find-deployment.ts'
import { findRelease, type ReleaseRow } from '../store/releases/find-release.ts'
import { newestRelease } from '../store/releases/newest-release.ts'
import { askedNow } from './asked-now.ts'
import type { InForce } from './customer-in-force.ts'
import { lastAnswer, namesOf } from './last-answer.ts'
import { targetDifference } from './target-difference.ts'

export type PortalRequest = z.output<typeof request>

/** What waits for the customer, what is needed first before what comes after it. */
export async function requestsOf(db: Database, row: DeploymentRow, { settings }: InForce): Promise<PortalRequest[]> {
  if (row.operation === 'destroy') return []
  const target = row.target && (await findRelease(db, row.project, row.target.release))
  const wanted = target ?? (await newestRelease(db, row.project, row.channel)) ?? null
  const told = await toldAt(db, row)
  const requests: PortalRequest[] = []
  requests.push(...(await setupRequest(db, row, wanted, told)))
  requests.push(...(await secretRequests(db, row)))
  const answerable = settings.approvals === 'portal'
  for (const asked of await askedNow(db, row)) {
    const update = asked.gate === 'update'
    const underWay = row.state?.candidate?.digest === asked.target.digest
    if (update && (settings.updates !== 'approval' || underWay)) continue
    if (await lastAnswer(db, row.id, namesOf(asked.gate), asked.target.digest)) continue
    const { version } = asked.release
    requests.push({
      kind: update ? 'update' : 'gate',
      gate: asked.gate,
      target: asked.target.digest,
      version,
      message: update ? updateMessage(row, asked.target.release, version) : gateMessage(asked.gate, version),
      since: asked.since === null ? told : new Date(asked.since).toISOString(),
      difference: await targetDifference(db, row, row.state?.stable ?? null, asked.target),
      answerable,
    })
  }
  return requests
}

function updateMessage(row: DeploymentRow, release: string, version: string): string {
  const stable = row.state?.stable
  if (!stable) return `Release ${version} is to be installed. It waits for your approval.`
  if (stable.release === release) return `A change of the config of ${version} waits for your approval.`
  return `Release ${version} waits for your approval.`
}

function gateMessage(gate: string, version: string): string {
  const [worker] = gate.split('/')
  return `Release ${version} is on its way; before ${worker} gets more of the traffic, it asks for your approval.`
}

async function setupRequest(
  db: Database,
  row: DeploymentRow,
  wanted: ReleaseRow | null,
  since: string,
): Promise<PortalRequest[]> {
  if (!wanted || row.setup_first) return []
  const { version, statement } = wanted
  const setup = row.setup_release && (await findRelease(db, row.project, row.setup_release))
  const changes = setup
    ? frozenDifference(setup.statement.manifest, statement.manifest).map(({ message }) => message)
    : statement.manifest.resources.map((one) => `The ${one.type} "${one.name}" is set up (${one.lifecycle}).`)
  if (setup && changes.length === 0) return []
  const message = setup
    ? `Release ${version} needs something that was not set up yet.`
    : `The setup of release ${version} waits for you: nothing is made before you apply it.`
  const difference = changes.map((change) => ({ area: 'setup', change }))
  const target = row.target?.digest ?? null
  return [{ kind: 'setup', gate: 'setup', target, version, message, since, difference, answerable: true }]
}

/** Secrets that the customer gives and has not given, of the newest release: without them it is not told to run it. */
async function secretRequests(db: Database, row: DeploymentRow): Promise<PortalRequest[]> {
  const newest = await newestRelease(db, row.project, row.channel)
  if (!newest) return []
  const { version, statement, published_at } = newest
  const given = await db
    .selectFrom('secrets')
    .select(['name', 'removed_at'])
    .distinctOn('name')
    .where('deployment', '=', row.id)
    .orderBy('name')
    .orderBy('version', 'desc')
    .execute()
  const known = new Set(given.filter((one) => one.removed_at === null).map(({ name }) => name))
  const since = (published_at > row.created_at ? published_at : row.created_at).toISOString()
  return statement.manifest.resources.flatMap((one) =>
    one.type === 'secret' && one.providedBy === 'customer' && !known.has(one.name)
      ? [
          {
            kind: 'secret' as const,
            gate: `secret:${one.name}`,
            target: null,
            version,
            message: `Release ${version} needs the secret ${one.name}, which you give${one.description ? `: ${one.description}` : '.'}`,
            since,
            difference: [],
            answerable: true,
          },
        ]
      : [],
  )
}

async function toldAt(db: Database, row: DeploymentRow): Promise<string> {
  const told = await db
    .selectFrom('targets')
    .select('told_at')
    .where('deployment', '=', row.id)
    .orderBy('generation', 'desc')
    .limit(1)
    .executeTakeFirst()
  return (told?.told_at ?? row.created_at).toISOString()
}

import type { CommandUpdate } from '@landfall/contract'
import type { CommandEnd } from '@landfall/engine'
import { openSealed } from '@landfall/release'
import { replyKey } from '../agents/reply-key.ts'
import { appendAudit } from '../audit/append-audit.ts'
import { publishChanges } from '../changes/publish-changes.ts'
import type { Keyring } from '../secrets/keyring.ts'
import type { Trx } from '../store/database.ts'
import { inputContext, resultContext } from './contexts.ts'
import { endCommand } from './end-command.ts'
import { effectOf } from './update-effect.ts'
import { insertOutput } from './write-output.ts'

/** An agent that has told of a command holds it so long: longer than it may be between two polls. */
export const agentLeaseMs = 180_000

type Given = { deployment: string; update: CommandUpdate; at: number }

/**
 * Takes in what an agent says of one command, under its row's lock. Fenced by the attempt: what tells of an earlier one than was handed
 * out changes nothing. After an end nothing changes; an answer that came after it is noted. Pieces of output count once each.
 */
export async function acceptUpdate(trx: Trx, keyring: Keyring, given: Given): Promise<void> {
  const { deployment, update, at } = given
  const row = (await lock(trx, given)) ?? (await create(trx, keyring, given))
  if (!row) return
  const effect = effectOf(row, update)
  if (effect.output) await insertOutput(trx, keyring, { deployment, id: update.id }, openOutput(keyring, given))
  const { status } = update
  const command = { ...row, deployment, id: update.id, attempt: update.attempt }
  if (effect.does === 'nothing') return
  if (status === 'running' || status === 'postponed') {
    await trx
      .updateTable('commands')
      .set({
        status: 'running',
        attempt: update.attempt,
        started_at: row.started_at ?? instant(update.startedAt, at),
        lease_owner: row.lease_owner ?? 'agent',
        lease_until: new Date(at + agentLeaseMs),
      })
      .where('deployment', '=', deployment)
      .where('id', '=', update.id)
      .execute()
    if (update.output.length > 0 || row.status === 'queued') {
      await publishChanges(trx, [{ project: row.project, kind: 'command', id: update.id, at }])
    }
    return
  }
  if (effect.does === 'comes-late') return noteLate(trx, command, status, at)
  const outcome = open(keyring, given, status)
  await trx
    .updateTable('commands')
    .set({ started_at: row.started_at ?? instant(update.startedAt, at) })
    .where('deployment', '=', deployment)
    .where('id', '=', update.id)
    .execute()
  const finishedAt = instant(update.finishedAt ?? at, at).getTime()
  // Its entry in the chain is the agent's own link, which travels in the same reports.
  await endCommand(trx, command, outcome, outcome.result, finishedAt, { audit: false })
}

const lock = (trx: Trx, { deployment, update }: Given) =>
  trx
    .selectFrom('commands')
    .select(['project', 'worker', 'command', 'status', 'attempt', 'started_at', 'lease_owner', 'via'])
    .where('deployment', '=', deployment)
    .where('id', '=', update.id)
    .forUpdate()
    .executeTakeFirst()

/** One that the agent had from elsewhere: signed offline, or asked by a gate there. Null: it does not say from where. */
async function create(trx: Trx, keyring: Keyring, given: Given) {
  const { deployment, update, at } = given
  const { origin, id } = update
  if (!origin) return null
  const { project } = await trx
    .selectFrom('deployments')
    .select('project')
    .where('id', '=', deployment)
    .executeTakeFirstOrThrow()
  await trx
    .insertInto('commands')
    .values({
      ...{ deployment, id, project, worker: origin.worker, command: origin.command },
      via: 'agent',
      version: null,
      // What went in stayed at the site.
      input: keyring.seal('null', inputContext(deployment, id)),
      created_at: instant(origin.issuedAt, at),
      created_by: origin.by ?? 'signed offline',
      deadline: instant(origin.deadline, Number.POSITIVE_INFINITY),
    })
    .execute()
  return lock(trx, given)
}

/** An instant that an agent gave: its clock may be wrong, so what is over was over by now. */
const instant = (given: number, latest: number) => new Date(Math.min(Math.max(given, 0), latest, 8.64e15))

function open(
  keyring: Keyring,
  { deployment, update }: Given,
  status: CommandEnd,
): { status: CommandEnd; error?: { code: string; message: string }; result: Buffer | null } {
  const failed = (message: string) =>
    ({ status: 'failed', error: { code: 'E_COMMAND_RESULT', message }, result: null }) as const
  if (status !== 'succeeded') {
    const error = update.error ?? { code: 'E_COMMAND_RESULT', message: 'The agent did not say why.' }
    return { status, error, result: null }
  }
  if (update.result === null) return failed('It succeeded, and the agent handed no result over.')
  try {
    const plain = openSealed(replyKey(keyring).privateKey, update.result, `result:${deployment}:${update.id}`)
    JSON.parse(plain.toString('utf8'))
    return { status, result: keyring.seal(plain, resultContext(deployment, update.id)) }
  } catch {
    // The report as a whole counts: one result that does not open must not hold up everything behind it.
    return failed('It succeeded, and its result does not open with this manager’s key.')
  }
}

function openOutput(keyring: Keyring, { deployment, update }: Given): CommandUpdate['output'] {
  if (update.output.length === 0) return []
  const { privateKey } = replyKey(keyring)
  return update.output.map((piece) => {
    try {
      const plain = openSealed(privateKey, piece.chunk, `output:${deployment}:${update.id}:${piece.number}`)
      return { ...piece, chunk: plain.toString('utf8') }
    } catch {
      return { ...piece, chunk: '[a piece of output does not open with this manager’s key]\n' }
    }
  })
}

async function noteLate(
  trx: Trx,
  command: {
    project: string
    deployment: string
    id: string
    worker: string
    command: string
    status: string
    attempt: number
  },
  status: CommandEnd,
  at: number,
): Promise<void> {
  if (command.status === status) return
  const { project, deployment, id, worker } = command
  await appendAudit(trx, [
    {
      ...{ project, deployment, type: 'command.late', actor: 'commands', resource: worker, at },
      message: `Command ${command.command} ${status} at the agent, told after it was ${command.status} here`,
      data: { command: id, attempt: command.attempt },
    },
  ])
}

import type { newAnswer, storedAnswer } from '@landfall/contract'
import { LandfallError } from '@landfall/stack'
import type { z } from 'zod'
import { note } from '../api/handlers/change-deployment.ts'
import type { Trx } from '../store/database.ts'
import type { DeploymentRow } from '../store/deployments/find-deployment.ts'
import { newId } from '../store/new-id.ts'
import { wakeRollouts } from '../store/rollouts/wake-rollouts.ts'
import { bumpGeneration } from '../store/targets/tell-target.ts'
import { storedAnswerView } from './answer-view.ts'
import { type Answerable, askedNow } from './asked-now.ts'
import { customerInForce } from './customer-in-force.ts'
import { lastAnswer, namesOf } from './last-answer.ts'

/**
 * Keeps the customer's answer, for the target that was shown to them and no other. The same answer again is the first one. The
 * deployment's row is locked by the caller, so that no target is told in between.
 *
 * @throws LandfallError `E_TARGET_CHANGED`, `E_APPROVAL_AT_AGENT`
 */
export async function giveAnswer(
  trx: Trx,
  row: DeploymentRow,
  answer: z.output<typeof newAnswer>,
  actor: string,
  now: number,
): Promise<z.output<typeof storedAnswer>> {
  const { settings } = await customerInForce(trx, row)
  if (settings.approvals === 'agent') throw atAgent()
  const last = await lastAnswer(trx, row.id, [answer.gate], answer.target)
  if (last?.status === answer.status) return storedAnswerView(last)
  const asked = await askedNow(trx, row)
  const found = asked.find((one) => one.target.digest === answer.target && namesOf(one.gate).includes(answer.gate))
  if (!found) throw changed(asked)
  // The later one counts: never at the same instant as another, whichever manager's clock gave that.
  const at = Math.max(now, (last?.at.getTime() ?? 0) + 1)
  const { gate, target, status, message = null } = answer
  const stored = { deployment: row.id, id: newId('ans'), gate, target, status, by: actor, message, at: new Date(at) }
  await trx.insertInto('answers').values(stored).execute()
  await bumpGeneration(trx, row.id)
  await wakeRollouts(trx, row.project, row.channel)
  const what =
    gate === 'update' ? `The update to ${found.release.version}` : `The gate ${gate} of ${found.release.version}`
  const words = `${what} was ${status === 'pass' ? 'approved' : 'refused'}${message === null ? '' : `: ${message}`}.`
  const type = status === 'pass' ? 'answer.approved' : 'answer.refused'
  await note(trx, row, type, actor, words, now, { gate, target, release: found.release.digest })
  return storedAnswerView(stored)
}

function changed(asked: readonly Answerable[]): LandfallError {
  const list = asked.map(({ gate, release, target }) => {
    const what = gate === 'update' ? `the update to ${release.version}` : `the gate ${gate} of ${release.version}`
    return `${what} (target ${target.digest})`
  })
  return new LandfallError({
    code: 'E_TARGET_CHANGED',
    message:
      list.length > 0
        ? `That is not what is asked now. Asked is ${list.join(', and ')}.`
        : 'That is not what is asked now. Nothing is asked.',
    hint: 'Look at what is asked now, and answer that: an answer counts for exactly one target.',
    problems: asked.map(({ gate, target }) => ({ path: gate, message: target.digest })),
  })
}

function atAgent(): LandfallError {
  return new LandfallError({
    code: 'E_APPROVAL_AT_AGENT',
    message: 'Approvals of this deployment count at its agent alone.',
    hint: 'Give it there: `landfall agent approve`.',
  })
}

import { type CustomerSettings, canonicalJson, LandfallError } from '@landfall/stack'
import { note } from '../api/handlers/change-deployment.ts'
import { cancelCommand } from '../commands/cancel-command.ts'
import type { Trx } from '../store/database.ts'
import type { DeploymentRow } from '../store/deployments/find-deployment.ts'
import { wakeRollouts } from '../store/rollouts/wake-rollouts.ts'
import { bumpGeneration } from '../store/targets/tell-target.ts'
import { checkCustomer } from './check-customer.ts'
import { customerInForce } from './customer-in-force.ts'

type Change = { [Name in keyof CustomerSettings]?: CustomerSettings[Name] | undefined }

/**
 * Changes what the customer says of a deployment; what is not named stays. Revoked access cancels the commands that run; those that
 * wait go on waiting. Answers the settings in force.
 *
 * @throws LandfallError `E_SETTING_AT_AGENT`, `E_WINDOW_INVALID`, `E_APPROVAL_AT_AGENT`
 */
export async function changeCustomer(
  trx: Trx,
  row: DeploymentRow,
  change: Change,
  actor: string,
  at: number,
): Promise<CustomerSettings> {
  const force = await customerInForce(trx, row)
  const named = Object.fromEntries(
    Object.entries(change).filter(([, value]) => value !== undefined),
  ) as Partial<CustomerSettings>
  const locked = force.local.filter((name) => Object.hasOwn(named, name))
  if (locked.length > 0) throw settingAtAgent(locked)
  checkCustomer(row.model, named)
  const next: CustomerSettings = { ...row.customer, ...named }
  const names = (Object.keys(next) as (keyof CustomerSettings)[]).filter(
    (name) => canonicalJson(next[name]) !== canonicalJson(row.customer[name]),
  )
  if (names.length === 0) return force.settings
  await trx
    .updateTable('deployments')
    .set({ customer: JSON.stringify(next) })
    .where('id', '=', row.id)
    .execute()
  await bumpGeneration(trx, row.id)
  await wakeRollouts(trx, row.project, row.channel)
  if (names.includes('access') && next.access === 'revoked') await cancelRunning(trx, row, actor, at)
  const before = Object.fromEntries(names.map((name) => [name, row.customer[name]]))
  const after = Object.fromEntries(names.map((name) => [name, next[name]]))
  const message = `The customer changed ${names.map((name) => words(name, next)).join('; ')}.`
  await note(trx, row, 'customer.changed', actor, message, at, { before, after })
  return { ...force.settings, ...named }
}

/** In the order of rows, deployment before audit heads, as everywhere. */
async function cancelRunning(trx: Trx, row: DeploymentRow, by: string, at: number): Promise<void> {
  const running = await trx
    .selectFrom('commands')
    .select('id')
    .where('deployment', '=', row.id)
    .where('status', '=', 'running')
    .orderBy('id')
    .execute()
  for (const { id } of running) await cancelCommand(trx, { project: row.project, deployment: row.id, id, by, at })
}

function words(name: keyof CustomerSettings, next: CustomerSettings): string {
  if (name === 'windows') return next.windows.length === 0 ? 'windows to none' : `windows to ${next.windows.length}`
  return `${name} to ${next[name]}`
}

function settingAtAgent(names: readonly string[]): LandfallError {
  return new LandfallError({
    code: 'E_SETTING_AT_AGENT',
    message: `Set at the agent, which wins: ${names.join(', ')}.`,
    hint: 'Change it there: `landfall agent settings`, `resume` or `grant`.',
  })
}

import type { AgentStatus } from '@landfall/agent'
import { bytesText } from '@landfall/release'
import type { Output } from '../../output/output.ts'
import { relative } from '../../output/time.ts'

/** One screen. */
export function describeAgent(status: AgentStatus, output: Output): string {
  const { deployment, sync, explanation, customer, local, windows, telemetry, bundles, exported } = status
  const workers = Object.entries(status.state?.workers ?? {})
  const lastBundle = bundles.at(-1)
  return [
    `${deployment.name} (${deployment.id}) of ${deployment.project}, ${deployment.model} on ${deployment.platform}`,
    `  ${explanation?.sentence ?? 'No order has reached this site yet.'}`,
    ...workers.flatMap(([name, { url, rollout }]) => [
      `  ${name}${rollout ? ` at ${rollout.served}%` : ''}${url ? `  ${url}` : ''}`,
    ]),
    '',
    `  updates    ${customer.updates}${customer.updates === 'approval' ? `, approved at the ${customer.approvals}` : ''}${said(local, 'updates')}`,
    `  windows    ${customer.windows.length === 0 ? 'none: at any time' : `${windows.open ? 'open' : 'closed'}${windows.changesAt === null ? '' : ` until ${new Date(windows.changesAt).toISOString()}`}`}${said(local, 'windows')}`,
    `  telemetry  ${customer.telemetry}${said(local, 'telemetry')}, ${bytesText(telemetry.bytes)} kept${telemetry.dropped.length > 0 ? `, ${telemetry.dropped.reduce((sum, drop) => sum + drop.items, 0)} payloads dropped` : ''}`,
    `  access     ${customer.access}${said(local, 'access')}`,
    `  network    ${sync ? `${sync.mode} to ${sync.url}${sync.lastAnswerAt === null ? '' : `, last answer ${relative(sync.lastAnswerAt)}`}${sync.error ? `: ${sync.error.message}` : ''}` : 'none'}`,
    `  enrolled   ${status.enrolled ? 'yes' : 'not that it knows'}, key ${status.key}`,
    `  bundles    ${lastBundle ? `${lastBundle.releases.join(', ') || 'keys'} imported ${relative(lastBundle.importedAt)}` : 'none'}`,
    `  exports    ${exported.at === null ? 'none' : `number ${exported.sequence}, ${relative(exported.at)}`}`,
    ...status.problems.map(
      (problem) => `  ${output.style('red', '✗')} ${problem.message} (${problem.code}, ${relative(problem.since)})`,
    ),
    ...describeWaits(status.waits),
  ].join('\n')
}

export function describeWaits(waits: AgentStatus['waits']): string[] {
  return waits.flatMap((wait) => [
    '',
    `Waits for a person: ${wait.version ?? 'a target'} (${wait.gate}): ${wait.message}`,
    ...wait.difference.map(({ area, change }) => `    ${area}: ${change}`),
    `  → landfall agent approve${wait.gate === 'update' ? '' : ` --gate ${wait.gate}`} --target ${wait.target}`,
  ])
}

const said = (local: readonly string[], name: string) => (local.includes(name) ? ' (set here)' : '')

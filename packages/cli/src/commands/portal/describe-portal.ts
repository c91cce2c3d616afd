import type { Portal } from '@landfall/contract'
import { describeSettings } from '../../customer/setting-options.ts'
import type { Output } from '../../output/output.ts'
import { relative } from '../../output/time.ts'

/** The customer's page on one screen: what runs, what waits for them, what they said, what it may do. */
export function describePortal(page: Portal, output: Output): string {
  const { deployment, arriving, expiresAt } = page
  const head = [
    `${page.vendor.name} at ${deployment.name} · ${deployment.model} on ${deployment.platform} · seen ${relative(deployment.lastSeenAt)}`,
    page.sentence,
    ...(arriving
      ? [`${arriving.version} is on its way${arriving.share === null ? '' : `, at ${Math.round(arriving.share)}%`}.`]
      : []),
  ]
  const waits = page.requests.flatMap((request) => ['', ...describeRequest(request, output)])
  const answers = page.answers
    .slice(0, 3)
    .map(
      ({ gate, target, status, by, at, message }) =>
        `  ${status === 'pass' ? 'approved' : 'refused'} ${gate} of ${target.slice(0, 19)}… by ${by}, ${relative(at)}${message ? `: ${message}` : ''}`,
    )
  const permissions = output.table(page.permissions, [
    { title: 'resource', value: (one) => one.resource },
    { title: 'lifecycle', value: (one) => one.lifecycle },
    { title: 'may', value: (one) => one.action },
    { title: 'why', value: (one) => one.reason, shrink: 1 },
  ])
  return [
    ...head,
    ...waits,
    ...(answers.length > 0 ? ['', 'Answered:', ...answers] : []),
    '',
    'You say:',
    ...describeSettings(page.settings, page.local).map((line) => `  ${line}`),
    `  ${windowsText(page)}`,
    ...(page.permissions.length > 0 ? ['', 'It may:', permissions] : []),
    '',
    'To end it in your own environment, without asking anybody:',
    ...page.leave.map((line) => `  ${line}`),
    ...(expiresAt ? [output.style('dim', `This link ends ${expiresAt.slice(0, 16).replace('T', ' ')}Z.`)] : []),
  ].join('\n')
}

/** What is asked, with what would change. */
export function describeRequest(request: Portal['requests'][number], output: Output): string[] {
  const where = request.answerable ? '' : ' (answered at the agent in your environment)'
  return [
    `${output.style('yellow', '…')} ${request.message}${where}`,
    ...(request.target ? [output.style('dim', `  ${request.gate} · target ${request.target}`)] : []),
    ...request.difference.map(({ area, change }) => `  ${area}: ${change}`),
  ]
}

function windowsText({ settings, windows }: Portal): string {
  if (settings.windows.length === 0) return 'Updates may begin at any time.'
  const at = windows.changesAt ? windows.changesAt.slice(0, 16).replace('T', ' ') : null
  if (windows.open) return `A maintenance window is open${at ? ` until ${at}Z` : ''}.`
  return at ? `The next maintenance window opens ${at}Z.` : 'No maintenance window opens any more.'
}

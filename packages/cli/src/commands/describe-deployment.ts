import type { deploymentDetail, explanation } from '@landfall/contract'
import type { z } from 'zod'
import type { Output } from '../output/output.ts'
import { shareBar } from '../output/share-bar.ts'
import { relative } from '../output/time.ts'

const marks = { ok: '✓', waiting: '…', blocked: '✗', unknown: '?' } as const
const colours = { ok: 'green', waiting: 'yellow', blocked: 'red', unknown: 'gray' } as const

/** One screen: sentence, the chain from release to environment, what to do next. */
export function describeExplanation(item: z.output<typeof explanation>, output: Output): string {
  const checks = item.checks.map((check) => {
    const since = check.since && check.status !== 'ok' ? ` (since ${relative(check.since).replace(' ago', '')})` : ''
    const code = check.status === 'ok' ? '' : output.style('dim', `  ${check.code}`)
    return `  ${output.style(colours[check.status], marks[check.status])} ${check.name}: ${check.message}${since}${code}`
  })
  return [item.sentence, '', ...checks, '', `${output.style('dim', '→')} ${item.next}`].join('\n')
}

export function describeDeployment(item: z.output<typeof deploymentDetail>, output: Output): string {
  const rows = [
    `${item.name} (${item.id}) · ${item.model} on ${item.platform} · group ${item.group ?? 'none'} · channel ${item.channel}${item.pinned ? ` · pinned to ${item.pinned}` : ''}`,
    `${item.health}: ${item.reason.message}`,
    `runs ${item.actual?.version ?? 'nothing yet'}${item.target && item.target.digest !== item.actual?.digest ? `, on its way to ${item.target.version}` : ''}${item.versionsBehind ? `, ${item.versionsBehind} behind ${item.newest}` : ''}`,
  ]
  const resources = output.table(item.resources, [
    { title: 'resource', value: (resource) => resource.name },
    { title: 'type', value: (resource) => resource.type },
    { title: 'lifecycle', value: (resource) => resource.lifecycle },
    { title: 'phase', value: (resource) => resource.phase },
    { title: 'reason', value: (resource) => resource.reason?.message ?? '', shrink: 1 },
  ])
  const workers = item.workers.flatMap((worker) => [
    `${worker.worker}: ${worker.candidateVersion ? `${worker.stableVersion ?? '–'} → ${worker.candidateVersion} ${shareBar(worker.served, worker.asked, 24, output.style)} ${Math.round(worker.served)}%` : (worker.stableVersion ?? 'not running')}${worker.url ? `  ${worker.url}` : ''}`,
    ...(worker.reason && worker.phase !== 'complete' ? [`  ${worker.reason.message}`] : []),
  ])
  const setup = item.setupDifference.length
    ? ['', 'Waits for a setup update:', ...item.setupDifference.map((line) => `  ${line}`)]
    : []
  return [...rows, '', resources, '', ...workers, ...setup].join('\n')
}

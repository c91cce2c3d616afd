import type { DeploymentView } from './deployment-rows.ts'

interface FleetView {
  sentence: string
  total: number
  healthy: number
  attention: number
  versions: string[]
  groups: { group: string | null; counts: Record<string, number> }[]
}

/** What runs no release yet counts under this. */
const none = 'none'

/** The fleet in one sentence, and who runs what: groups by versions, the newest version first. */
export function fleetView(deployments: readonly DeploymentView[]): FleetView {
  const healthy = deployments.filter((one) => one.health === 'healthy').length
  const attention = deployments.filter(needsAttention)
  const counts = new Map<string | null, Record<string, number>>()
  const order = new Map<string, number>()
  for (const one of deployments) {
    const version = one.actual?.version ?? none
    order.set(
      version,
      Math.min(order.get(version) ?? Number.POSITIVE_INFINITY, version === none ? 1e9 : one.versionsBehind),
    )
    const row = counts.get(one.group) ?? {}
    row[version] = (row[version] ?? 0) + 1
    counts.set(one.group, row)
  }
  const versions = [...order].sort((a, b) => a[1] - b[1]).map(([version]) => version)
  const groups = [...counts]
    .map(([group, row]) => ({ group, counts: row }))
    .sort((a, b) => (a.group ?? '\uffff').localeCompare(b.group ?? '\uffff', 'en'))
  const total = deployments.length
  return {
    sentence: sentence(deployments, healthy, attention),
    total,
    healthy,
    attention: attention.length,
    versions,
    groups,
  }
}

function needsAttention(one: DeploymentView): boolean {
  return ['failed', 'needs-setup', 'access-revoked'].includes(one.phase) || ['failed', 'degraded'].includes(one.health)
}

function sentence(
  deployments: readonly DeploymentView[],
  healthy: number,
  attention: readonly DeploymentView[],
): string {
  const total = deployments.length
  if (total === 0) return 'There are no deployments yet.'
  const current = deployments.filter((one) => one.actual !== null && one.versionsBehind === 0).length
  const moving = deployments.filter((one) => ['setting-up', 'updating', 'returning'].includes(one.phase)).length
  const parts = [
    total === 1
      ? `The one deployment is ${healthy === 1 ? '' : 'not '}healthy`
      : `${healthy === total ? `All ${total}` : `${healthy} of ${total}`} deployments are healthy`,
    current === total ? 'on the newest release allowed' : `${current} on the newest release allowed`,
    ...(moving > 0 ? [`${moving} moving`] : []),
  ]
  const [first] = attention
  const trouble = first
    ? ` ${attention.length === 1 ? 'One needs' : `${attention.length} need`} attention: ${first.name}${attention.length > 1 ? ' and others' : ''}.`
    : ''
  return `${parts.join(', ')}.${trouble}`
}

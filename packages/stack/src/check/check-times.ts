import type { Problem } from '../errors/landfall-error.ts'
import type { Manifest } from '../manifest/manifest.ts'
import { durationMs } from '../manifest/names.ts'
import { computeOf } from './compute-of.ts'

const day = '1d'

/** Times that must be more than nothing and no longer than platforms can wait. */
export function checkTimes(manifest: Manifest): Problem[] {
  const problems: Problem[] = []
  const check = (path: string, value: string, longest: string) => {
    const ms = durationMs(value)
    if (ms > 0 && ms <= durationMs(longest)) return
    problems.push({ path, message: `must be more than 0 and at most ${longest}` })
  }
  for (const compute of computeOf(manifest)) {
    const path = `resources.${compute.name}`
    // Lambda's own limit; a request that needs longer belongs into a queue.
    if (compute.type === 'worker') check(`${path}.timeout`, compute.timeout, '15m')
    check(`${path}.gracePeriod`, compute.gracePeriod, '1h')
    for (const field of ['interval', 'timeout', 'startup'] as const) {
      check(`${path}.health.${field}`, compute.health[field], '1h')
    }
    for (const [name, command] of Object.entries(compute.commands)) {
      check(`${path}.commands.${name}.deadline`, command.deadline, day)
    }
  }
  for (const resource of manifest.resources) {
    if (resource.type !== 'queue') continue
    // SQS's limit is 12 hours, Pub/Sub's 10 minutes.
    check(`resources.${resource.name}.visibilityTimeout`, resource.visibilityTimeout, '10m')
  }
  return problems
}

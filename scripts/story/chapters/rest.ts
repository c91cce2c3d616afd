import { setTimeout as sleep } from 'node:timers/promises'
import { project } from '../vendor.ts'
import type { Stage } from './stage.ts'

/** Waits until the named deployments rest on a version, as the manager sees them; answers those that do. */
export async function rest(
  { vendor, narrator }: Pick<Stage, 'vendor' | 'narrator'>,
  names: readonly string[],
  version: string,
  deadlineMs: number,
): Promise<string[]> {
  const until = Date.now() + deadlineMs
  for (;;) {
    const { items } = await vendor.client.listDeployments({ params: { project } })
    const there = items.filter(
      (item) => names.includes(item.name) && item.actual?.version === version && item.phase === 'running',
    )
    narrator.live(`${there.length} of ${names.length} deployments rest on ${version}`)
    if (there.length === names.length || Date.now() > until) return there.map((item) => item.name)
    await sleep(250)
  }
}

/** The story can't go on without all of them: says why the first of the others is not there. */
export async function requireAll(
  { vendor }: Pick<Stage, 'vendor'>,
  names: readonly string[],
  there: readonly string[],
  version: string,
): Promise<void> {
  const late = names.find((name) => !there.includes(name))
  if (late === undefined) return
  const explanation = await vendor.client.explainDeployment({ params: { project, deployment: late } })
  const checks = explanation.checks
    .filter((check) => check.status !== 'ok')
    .map((check) => `${check.name}: ${check.message} (${check.code})`)
  throw new Error(`${late} does not run ${version}: ${explanation.sentence} ${checks.join('; ')}`)
}

/** Asks again until it holds or the time is over; answers whether it held. */
export async function until(
  holds: () => Promise<boolean> | boolean,
  deadlineMs: number,
  everyMs = 200,
): Promise<boolean> {
  const end = Date.now() + deadlineMs
  for (;;) {
    if (await holds()) return true
    if (Date.now() > end) return false
    await sleep(everyMs)
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { connected, customers, site } from '../customers.ts'
import { followRollout } from '../follow-rollout.ts'
import { project } from '../vendor.ts'
import { bringBack, bringIn, makeBundle, watchSite } from './carried.ts'
import { rest } from './rest.ts'
import type { Stage } from './stage.ts'

/** A good release passes by evidence, wave after wave and then at the site, without one failed request. */
export async function goodRelease(stage: Stage, version: string): Promise<void> {
  const { vendor, narrator, claims, traffic } = stage
  const from = Date.now()
  narrator.command(`landfall release --version ${version} --watch`)
  const { rollout } = await followRollout(vendor.client, await vendor.release(version), narrator, 120_000)
  const names = connected.map(({ name }) => name)
  await rest(stage, names, version, 15_000)
  narrator.done(rollout.sentence)
  const counted = rollout.members.filter((member) => names.includes(member.name as 'acme'))
  claims.check(
    `${version} is promoted over push and pull`,
    rollout.phase === 'complete' &&
      counted.length === names.length &&
      counted.every((one) => one.status === 'succeeded'),
    rollout.sentence,
  )
  const outside = rollout.members.find((member) => member.name === site)
  claims.check(
    'The airgapped one is not in the denominator, and the page says why',
    outside?.status === 'excluded' && outside.reason !== null,
    outside?.reason?.message ?? 'nothing is said',
  )
  await bringIn(stage, await makeBundle(stage, version))
  await watchSite(stage, 120_000)
  await bringBack(stage, version)
  const reported = await rest(stage, [site], version, 5_000)
  claims.check(`${version} is promoted at the site, and reported by its export`, reported.length === 1, site)
  const steps = await Promise.all(
    customers.map(async ({ name }) => ({ name, shares: await stepsOf(stage, name, from) })),
  )
  claims.check(
    `${version} took traffic in steps on each of them`,
    steps.every(({ shares }) => shares.filter((share) => share > 0 && share < 100).length >= 2),
    steps.map(({ name, shares }) => `${name} ${shares.map((share) => `${share}%`).join(' → ')}`).join(', '),
  )
  await sleep(1_000)
  const answers = traffic.since(from)
  const failed = answers.filter((answer) => answer.status === 0 || answer.status >= 500)
  claims.check(
    `No request failed on the way to ${version}`,
    failed.length === 0 && answers.length > 0,
    `${answers.length} requests, ${failed.length} failed`,
  )
  const tail = traffic.since(Date.now() - 800)
  claims.check(
    `All traffic is on ${version}`,
    customers.every(({ name }) => tail.some((answer) => answer.target === name)) &&
      tail.every((answer) => answer.version === version),
    `${tail.length} newest requests`,
  )
}

/** Shares that were really served, in order, as the audit chain has them. */
async function stepsOf({ vendor }: Stage, deployment: string, from: number): Promise<number[]> {
  const { items } = await vendor.client.listDeploymentAudit({ params: { project, deployment }, query: { limit: 500 } })
  return items
    .filter((entry) => entry.type === 'rollout.step-reached' && Date.parse(entry.at) >= from)
    .sort((a, b) => a.number - b.number)
    .map((entry) => Math.round((entry.data as { served: number }).served))
}

import { setTimeout as sleep } from 'node:timers/promises'
import { connected, customers, ring, site } from '../customers.ts'
import { describeEvidence, type Evidence } from '../evidence.ts'
import { followRollout } from '../follow-rollout.ts'
import { shareOf } from '../traffic.ts'
import { project } from '../vendor.ts'
import { bringBack, bringIn, makeBundle, watchSite } from './carried.ts'
import { rest, until } from './rest.ts'
import type { Stage } from './stage.ts'

/**
 * A bad release is noticed by measurement and goes back by itself: in the first ring by the manager's runner and by an agent, at the site
 * by the agent there alone, because the courier left before anybody knew. The second ring never hears of it.
 */
export async function badRelease(stage: Stage, version: string, stable: string): Promise<void> {
  const { vendor, narrator, claims, traffic } = stage
  const from = Date.now()
  narrator.command(`landfall release --version ${version} --watch`)
  const id = await vendor.release(version)
  const bundle = await makeBundle(stage, version)
  narrator.say('the courier leaves with it before anybody knows')
  const { rollout, touched } = await followRollout(vendor.client, id, narrator, 120_000)
  await rest(
    stage,
    connected.map(({ name }) => name),
    stable,
    30_000,
  )
  narrator.done(rollout.sentence)
  claims.check(`${version} is stopped over push and pull`, rollout.phase === 'aborted', rollout.reason.message)
  await bringIn(stage, bundle)
  const seen = await watchSite(stage, 120_000)
  claims.check(
    `${version} is stopped at the site, by its own agent, without network`,
    seen.state?.rejected.some((one) => one.target === seen.order?.target?.digest) === true,
    seen.state?.reason.message ?? '',
  )
  await bringBack(stage, version)
  await sleep(1_000)

  const answers = traffic.since(from)
  const second = ring('ring-2')
  const reached = second.filter((name) => touched.has(name))
  const stray = answers.filter((answer) => second.includes(answer.target as 'acme') && answer.version !== stable)
  claims.check(
    `The second wave never hears of ${version}`,
    reached.length === 0 && stray.length === 0,
    `${second.join(', ')} stayed on ${stable}; ${stray.length} of ${answers.length} requests strayed`,
  )
  const measured = [...ring('ring-1'), site]
  let judged = 0
  for (const name of measured) judged += (await verdictOf(stage, name, version, from)) ? 1 : 0
  claims.check(
    'At least one connected deployment and the site were judged by their own evidence',
    judged >= 2,
    `${judged} verdicts stored`,
  )
  for (const name of measured) await backWithinOneReconcile(stage, name, from)

  const wrong = answers.filter((answer) => (answer.status === 0 || answer.status >= 500) && answer.version !== version)
  claims.check(
    `No request failed that ${version} did not itself answer wrongly`,
    wrong.length === 0,
    `${answers.filter((answer) => answer.status >= 500).length} failed, all answered by ${version}${wrong.length ? `, but for ${wrong.length}` : ''}`,
  )
  const back = () => {
    const tail = traffic.since(Date.now() - 800)
    return customers.every(({ name }) => shareOf(tail, name, stable) === 100)
  }
  claims.check(
    `100% is back on ${stable} everywhere`,
    await until(back, 5_000),
    `${traffic.since(Date.now() - 800).length} newest requests`,
  )
}

/** Says where a deployment was stopped and by what; answers whether by its own evidence. */
async function verdictOf(
  { vendor, narrator, claims, traffic }: Stage,
  name: string,
  version: string,
  from: number,
): Promise<boolean> {
  const detail = await vendor.client.getDeployment({ params: { project, deployment: name } })
  const own = traffic.since(from).filter((answer) => answer.target === name)
  const failed = own.filter((answer) => answer.version === version && answer.status >= 500)
  const api = detail.workers.find((worker) => worker.url)
  const aborted = api?.aborted as { step: number; evidence: Evidence | null } | null | undefined
  if (!aborted?.evidence) {
    narrator.say(`${name}: sent back with the rollout after ${failed.length} failed requests of ${own.length}`)
    return false
  }
  const share = api?.steps[aborted.step]?.share ?? 0
  narrator.say(
    `${name}: stopped at step ${aborted.step + 1} (${share}%), ${failed.length} requests failed of ${own.length}`,
  )
  return claims.check(
    `${name} (${detail.model}): stopped by measurement at step ${aborted.step + 1} (${share}%)`,
    aborted.evidence.verdict === 'fail',
    describeEvidence(aborted.evidence),
  )
}

/** Types of the engine's events that end a candidate: its verdict, a person's word, or a change of what is asked. */
const endings = new Set(['rollout.aborted', 'deployment.returning', 'rollout.superseded'])

/** Reads from the audit chain that the very next thing after the verdict was to route everything to stable. */
async function backWithinOneReconcile({ vendor, claims }: Stage, deployment: string, from: number): Promise<void> {
  const { items } = await vendor.client.listDeploymentAudit({ params: { project, deployment }, query: { limit: 500 } })
  const story = items.filter((entry) => Date.parse(entry.at) >= from).reverse()
  const ended = story.findIndex((entry) => endings.has(entry.type))
  const after = story.slice(ended + 1)
  const routed = after.find((entry) => entry.type === 'traffic.routed')
  const stepped = after.some((entry) => entry.type === 'rollout.step' && routed && entry.number < routed.number)
  const took = Date.parse(routed?.at ?? '') - Date.parse(story[ended]?.at ?? '')
  claims.check(
    `${deployment}: 100% back on stable within one reconcile of the verdict`,
    ended >= 0 && routed?.message.includes('100% to') === true && !stepped,
    `${took} ms from the verdict to «${routed?.message ?? 'nothing'}»`,
  )
}

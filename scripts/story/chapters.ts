import { setTimeout as sleep } from 'node:timers/promises'
import type { Claims } from './claims.ts'
import { describeEvidence, type Evidence } from './evidence.ts'
import { followRollout } from './follow-rollout.ts'
import type { Narrator } from './narrator.ts'
import { shareOf, Traffic } from './traffic.ts'
import { customers, project, type Vendor } from './vendor.ts'

export interface Stage {
  vendor: Vendor
  narrator: Narrator
  claims: Claims
}

const ring = (group: string) =>
  customers.filter((customer) => customer.group === group).map((customer) => customer.name)
const perSecond = 40

/** Five customers appear and get 1.0.0; resolves with live traffic on all of them. */
export async function arrive({ vendor, narrator, claims }: Stage): Promise<Traffic> {
  const { client } = vendor
  narrator.command('landfall release --version 1.0.0')
  await vendor.release('1.0.0')
  for (const { name, group } of customers) {
    narrator.command(`landfall deployments create ${name} --group ${group}`)
    await client.createDeployment({ params: { project }, body: { name, group, platform: 'local' } })
  }
  const running = await rest(vendor, narrator, '1.0.0', 60_000)
  claims.check(
    'Five deployments run 1.0.0',
    running.length === customers.length,
    `${running.length} of ${customers.length}`,
  )
  await requireAll(vendor, running, '1.0.0')
  const targets = await Promise.all(
    customers.map(async ({ name }) => {
      const detail = await client.getDeployment({ params: { project, deployment: name } })
      return { name, url: detail.workers.find((worker) => worker.url)?.url ?? '' }
    }),
  )
  for (const { name, url } of targets) narrator.done(`${name} answers at ${url}`)
  const traffic = new Traffic(targets, perSecond)
  const answered = await allAnswer(traffic, '1.0.0', 20_000)
  claims.check(
    'Each of them answers requests with 1.0.0',
    answered === customers.length,
    `${traffic.answers.length} requests answered`,
  )
  narrator.say(`Live traffic from now on: ${perSecond * customers.length} requests a second over five customers.`)
  return traffic
}

/** How many of the customers have answered ten requests with success; waits until all have. */
async function allAnswer(traffic: Traffic, version: string, deadlineMs: number): Promise<number> {
  const until = Date.now() + deadlineMs
  for (;;) {
    const good = traffic.answers.filter(
      (answer) => answer.status >= 200 && answer.status < 300 && answer.version === version,
    )
    const there = customers.filter(({ name }) => good.filter((answer) => answer.target === name).length >= 10).length
    if (there === customers.length || Date.now() > until) return there
    await sleep(200)
  }
}

/** A good release passes by evidence, wave after wave, without one failed request. */
export async function goodRelease(stage: Stage, traffic: Traffic, version: string): Promise<void> {
  const { vendor, narrator, claims } = stage
  const from = Date.now()
  narrator.command(`landfall release --version ${version} --watch`)
  const { rollout, shares } = await followRollout(vendor.client, await vendor.release(version), narrator, 120_000)
  await rest(vendor, narrator, version, 15_000)
  await sleep(1_000)
  const answers = traffic.since(from)
  const failed = answers.filter((answer) => answer.status === 0 || answer.status >= 500)
  claims.check(
    `${version} is promoted on all five`,
    rollout.phase === 'complete' && rollout.members.every((member) => member.status === 'succeeded'),
    rollout.sentence,
  )
  const steps = [...shares.values()].map((seen) => seen.filter((share) => share > 0 && share < 100).length)
  claims.check(
    `${version} took traffic in steps on each of them`,
    steps.length === customers.length && steps.every((count) => count >= 2),
    `shares ${[...shares.values()].map((seen) => seen.join('→')).join(', ')}`,
  )
  claims.check(
    `No request failed on the way to ${version}`,
    failed.length === 0 && answers.length > 0,
    `${answers.length} requests, ${failed.length} failed`,
  )
  const tail = traffic.since(Date.now() - 800)
  claims.check(
    `All traffic is on ${version}`,
    tail.length > 0 && tail.every((answer) => answer.version === version),
    `${tail.length} newest requests`,
  )
  narrator.done(rollout.sentence)
}

/** A bad release is noticed by measurement in the first wave and goes back by itself; the second wave never hears of it. */
export async function badRelease(stage: Stage, traffic: Traffic, version: string, stable: string): Promise<void> {
  const { vendor, narrator, claims } = stage
  const { client } = vendor
  const from = Date.now()
  narrator.command(`landfall release --version ${version} --watch`)
  const { rollout, touched } = await followRollout(client, await vendor.release(version), narrator, 120_000)
  await rest(vendor, narrator, stable, 30_000)
  await sleep(1_000)
  narrator.done(rollout.sentence)
  claims.check(`${version} is stopped`, rollout.phase === 'aborted', rollout.reason.message)
  const second = ring('ring-2').filter((name) => touched.has(name))
  claims.check(
    `The second wave never hears of ${version}`,
    second.length === 0,
    second.length === 0 ? `${ring('ring-2').join(', ')} stayed on ${stable}` : `reached ${second.join(', ')}`,
  )

  const answers = traffic.since(from)
  const stray = answers.filter(
    (answer) => ring('ring-2').includes(answer.target as 'hooli') && answer.version !== stable,
  )
  claims.check(
    `No request of the second wave was answered by ${version}`,
    stray.length === 0,
    `${stray.length} of ${answers.length}`,
  )

  let judged = 0
  for (const name of ring('ring-1')) {
    const detail = await client.getDeployment({ params: { project, deployment: name } })
    const own = answers.filter((answer) => answer.target === name)
    const failed = own.filter((answer) => answer.version === version && answer.status >= 500)
    const api = detail.workers.find((worker) => worker.url)
    const aborted = api?.aborted as { step: number; message: string; evidence: Evidence | null } | null | undefined
    if (!aborted) {
      narrator.say(`${name}: sent back with the rollout after ${failed.length} failed requests of ${own.length}`)
      continue
    }
    const share = api?.steps[aborted.step]?.share ?? 0
    narrator.say(
      `${name}: stopped at step ${aborted.step + 1} (${share}%), ${failed.length} requests failed of ${own.length}`,
    )
    if (!aborted.evidence) continue
    judged++
    narrator.say(`  ${describeEvidence(aborted.evidence)}`)
    claims.check(
      `${name}: stopped by measurement at step ${aborted.step + 1} (${share}%)`,
      aborted.evidence.verdict === 'fail',
      describeEvidence(aborted.evidence),
    )
  }
  claims.check('At least one deployment was judged by its own evidence', judged > 0, `${judged} verdicts stored`)

  for (const name of ring('ring-1')) await backWithinOneReconcile(stage, name, from)
  const wrong = answers.filter((answer) => (answer.status === 0 || answer.status >= 500) && answer.version !== version)
  claims.check(
    `No request failed that ${version} did not itself answer wrongly`,
    wrong.length === 0,
    `${answers.filter((answer) => answer.status >= 500).length} failed, all answered by ${version}${wrong.length ? `, but for ${wrong.length}` : ''}`,
  )
  const tail = traffic.since(Date.now() - 800)
  claims.check(
    `100% is back on ${stable}`,
    tail.length > 0 && customers.every(({ name }) => shareOf(tail, name, stable) === 100),
    `${tail.length} newest requests`,
  )
}

/** Reads from the audit chain that the very next thing after the verdict was to route everything to stable. */
async function backWithinOneReconcile({ vendor, claims }: Stage, deployment: string, from: number): Promise<void> {
  const { items } = await vendor.client.listDeploymentAudit({ params: { project, deployment }, query: { limit: 500 } })
  const story = items.filter((entry) => Date.parse(entry.at) >= from).reverse()
  // Its own verdict, or the order to come back because another one failed; telling it the bad release is neither.
  const aborted = story.findIndex((entry) => entry.type === 'rollout.aborted' || isReturn(entry))
  const after = story.slice(aborted + 1)
  const routed = after.find((entry) => entry.type === 'traffic.routed')
  const stepped = after.some((entry) => entry.type === 'rollout.step' && routed && entry.number < routed.number)
  const took = Date.parse(routed?.at ?? '') - Date.parse(story[aborted]?.at ?? '')
  claims.check(
    `${deployment}: 100% back on stable within one reconcile of the verdict`,
    aborted >= 0 && routed?.message.includes('100% to') === true && !stepped,
    `${took} ms from the verdict to «${routed?.message ?? 'nothing'}»`,
  )
}

function isReturn({ type, data }: { type: string; data: unknown }): boolean {
  return type === 'deployment.told' && (data as { cause?: unknown } | null)?.cause === 'return'
}

/** The story can't go on without all of them: says why the first of the others is not there. */
async function requireAll(vendor: Vendor, there: readonly string[], version: string): Promise<void> {
  const late = customers.find(({ name }) => !there.includes(name))
  if (!late) return
  const explanation = await vendor.client.explainDeployment({ params: { project, deployment: late.name } })
  const checks = explanation.checks
    .filter((check) => check.status !== 'ok')
    .map((check) => `${check.name}: ${check.message} (${check.code})`)
  throw new Error(`${late.name} does not run ${version}: ${explanation.sentence} ${checks.join('; ')}`)
}

/** Waits until every deployment rests on a version. */
async function rest(vendor: Vendor, narrator: Narrator, version: string, deadlineMs: number): Promise<string[]> {
  const until = Date.now() + deadlineMs
  for (;;) {
    const { items } = await vendor.client.listDeployments({ params: { project } })
    const there = items.filter((item) => item.actual?.version === version && item.phase === 'running')
    narrator.live(`${there.length} of ${customers.length} deployments rest on ${version}`)
    if (there.length === customers.length || Date.now() > until) return there.map((item) => item.name)
    await sleep(250)
  }
}

/** A command with its result, the logs, and a chain of acts that can be checked. */
export async function whatWasDone({ vendor, narrator, claims }: Stage): Promise<void> {
  const { client } = vendor
  const deployment = 'acme'
  narrator.command(`landfall command run ${deployment} reindex`)
  let command = await client.sendCommand({ params: { project, deployment }, body: { command: 'reindex' } })
  const until = Date.now() + 30_000
  while ((command.status === 'queued' || command.status === 'running') && Date.now() < until) {
    await sleep(200)
    command = await client.getCommand({ params: { project, deployment, command: command.id } })
  }
  claims.check(
    'A command runs in the customer’s environment and gives its result',
    command.status === 'succeeded',
    JSON.stringify(command.result ?? command.error).slice(0, 100),
  )
  const logs = await client.getLogs({ params: { project, deployment }, query: { limit: 50 } })
  claims.check(
    'Its workers’ logs are in the manager',
    logs.items.length > 0,
    `${logs.items.length} lines of ${deployment}`,
  )
  let entries = 0
  for (const { name } of customers) {
    const verified = await client.verifyAudit({ params: { project, deployment: name } })
    entries += verified.entries
    if (!verified.ok) claims.check(`The audit chain of ${name} holds`, false, verified.broken?.message ?? '')
  }
  claims.check('Every act is in an unbroken audit chain', entries > 0, `${entries} entries over five chains`)
  const explanation = await client.explainDeployment({ params: { project, deployment } })
  narrator.command(`landfall deployments explain ${deployment}`)
  narrator.done(explanation.sentence)
}

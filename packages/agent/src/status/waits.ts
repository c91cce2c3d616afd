import type { Answer, DeploymentState } from '@landfall/engine'
import { compareReleases, envelopePayload, releasePayloadType, releaseStatement } from '@landfall/release'
import { type ComputeResource, type Digest, frozenDifference } from '@landfall/stack'
import type { AgentStatus } from '../agent.ts'
import type { Releases } from '../sources/releases.ts'
import type { Look } from '../store/agent-store.ts'

type Wait = AgentStatus['waits'][number]

/**
 * What waits for a person at the site, each bound to the target that an answer must name. Read from what is at the site, for showing:
 * the engine proves a release again before anything of it runs.
 *
 * @param setup the release whose setup is ordered and was not approved here, where that counts; see `setupAsked`
 */
export async function waitsOf(look: Look | null, releases: Releases, setup: Digest | null): Promise<Wait[]> {
  const { desired, state } = look ?? { desired: null, state: null }
  if (!desired || !state || desired.operation === 'destroy') return []
  const waits: Wait[] = []
  const { target, customer } = desired
  const asks = target !== null && customer.updates === 'approval' && !isApproved(desired.answers, target.digest)
  // One answer lets in both where the update and its setup are of one release.
  const both = asks && setup !== null && target.release === setup
  if (setup !== null && !both) waits.push(...(await setupWait(releases, state, setup)))
  const made = both && target ? (await setupWait(releases, state, target.release))[0]?.difference : []
  // Nobody is asked for what can't be shown to them yet.
  if (target && made && (both || state.reason.code === 'WAITS_FOR_APPROVAL')) {
    const after = await statementOf(releases, target.release)
    const before = state.stable ? await statementOf(releases, state.stable.release) : null
    const changed = after ? compareReleases(before, after).lines.map(({ area, change }) => ({ area, change })) : []
    waits.push({
      gate: 'update',
      target: target.digest,
      version: after?.version ?? null,
      message: both ? 'Waits for the customer to approve this update and what is set up for it' : state.reason.message,
      difference: [...made.filter(({ change }) => !changed.some((one) => one.change === change)), ...changed],
    })
  }
  if (state.candidate) {
    const release = await statementOf(releases, state.candidate.release)
    for (const worker of release?.manifest.resources ?? []) {
      if (worker.type !== 'worker' && worker.type !== 'container') continue
      for (const gate of openApprovals(worker, state)) {
        if (answered(desired.answers, gate, worker.name, state.candidate.digest)) continue
        waits.push({
          gate: `${worker.name}/${gate}`,
          target: state.candidate.digest,
          version: release?.version ?? null,
          message: `The rollout of ${worker.name} waits for an approval`,
          difference: [],
        })
      }
    }
  }
  return waits
}

/** What is made or changed beside releases: resources that are frozen, grants, what it may do. None while it is not at the site. */
async function setupWait(releases: Releases, state: DeploymentState, release: Digest): Promise<Wait[]> {
  await releases.envelope(release).catch(() => null)
  const after = await statementOf(releases, release)
  const before = state.setup ? await statementOf(releases, state.setup) : null
  if (!after) return []
  const changes = before
    ? frozenDifference(before.manifest, after.manifest).map(({ message }) => message)
    : after.manifest.resources.map((one) => `The ${one.type} "${one.name}" is set up (${one.lifecycle}).`)
  const message = 'Waits for the customer to approve the setup'
  const difference = changes.map((change) => ({ area: 'setup', change }))
  return [{ gate: 'setup', target: release, version: after.version, message, difference }]
}

function isApproved(answers: readonly Answer[], target: Digest): boolean {
  const given = answers.filter((answer) => answer.gate === 'update' && answer.target === target)
  return given.toSorted((a, b) => a.at - b.at).at(-1)?.status === 'pass'
}

/** Ids, as `compilePlan` gives them, of the approvals that a worker's rollout waits at now. */
function openApprovals(worker: ComputeResource, state: DeploymentState): string[] {
  const rollout = state.workers[worker.name]?.rollout
  if (rollout?.pause?.kind !== 'gate' || !worker.rollout) return []
  const promoting = rollout.phase === 'promoting' || rollout.pausedFrom === 'promoting'
  const place = promoting ? 'pre-promotion' : `step-${rollout.step}`
  const gates = promoting ? worker.rollout.prePromotion : worker.rollout.steps[rollout.step]?.gates
  return (gates ?? []).flatMap((gate, index) => (gate.kind === 'approval' ? [`${place}.${index}`] : []))
}

function answered(answers: readonly Answer[], gate: string, worker: string, target: string): boolean {
  return answers.some(
    (answer) => answer.target === target && (answer.gate === gate || answer.gate === `${worker}/${gate}`),
  )
}

async function statementOf(releases: Releases, digest: Digest) {
  const envelope = await releases.known(digest)
  if (!envelope) return null
  const payload = Buffer.from(envelopePayload(envelope, releasePayloadType)).toString('utf8')
  const parsed = releaseStatement.safeParse(JSON.parse(payload))
  return parsed.success ? parsed.data : null
}

import type { Answer, DeploymentState } from '@landfall/engine'
import { compareReleases, envelopePayload, releasePayloadType, releaseStatement } from '@landfall/release'
import type { ComputeResource, Digest } from '@landfall/stack'
import type { AgentStatus } from '../agent.ts'
import type { Releases } from '../sources/releases.ts'
import type { Look } from '../store/agent-store.ts'

type Wait = AgentStatus['waits'][number]

/**
 * What waits for a person at the site, each bound to the target that an answer must name. Read from what is at the site, for showing:
 * the engine proves a release again before anything of it runs.
 */
export async function waitsOf(look: Look | null, releases: Releases): Promise<Wait[]> {
  const { desired, state } = look ?? { desired: null, state: null }
  if (!desired || !state) return []
  const waits: Wait[] = []
  if (desired.target && state.reason.code === 'WAITS_FOR_APPROVAL') {
    const after = await statementOf(releases, desired.target.release)
    const before = state.stable ? await statementOf(releases, state.stable.release) : null
    waits.push({
      gate: 'update',
      target: desired.target.digest,
      version: after?.version ?? null,
      message: state.reason.message,
      difference: after ? compareReleases(before, after).lines.map(({ area, change }) => ({ area, change })) : [],
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

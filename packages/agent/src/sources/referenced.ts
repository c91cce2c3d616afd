import { envelopePayload, releasePayloadType } from '@landfall/release'
import type { Digest } from '@landfall/stack'
import { keptTargets } from '../orders/config-names.ts'
import type { AgentStore } from '../store/agent-store.ts'
import type { Releases } from './releases.ts'

/**
 * Releases that may still run here, and every digest that they name (more than is ever loaded, never less); null when one of them is
 * not known, so that nothing is thrown away by mistake.
 */
export async function referenced(
  store: AgentStore,
  releases: Releases,
  deployment: string,
): Promise<{ releases: Set<Digest>; blobs: Set<string> } | null> {
  const look = store.look(deployment)
  if (!look) return null
  const kept = new Set<Digest>(keptTargets(look.state, look.desired.target).map(({ release }) => release))
  if (look.desired.setup) kept.add(look.desired.setup.release)
  if (look.state?.setup) kept.add(look.state.setup)
  // One that waits for an answer may not have come yet.
  if (look.setup && (await releases.known(look.setup))) kept.add(look.setup)
  const blobs = new Set<string>()
  for (const digest of kept) {
    const envelope = await releases.known(digest)
    if (!envelope) return null
    const text = Buffer.from(envelopePayload(envelope, releasePayloadType)).toString('utf8')
    for (const [name] of text.matchAll(/sha256:[0-9a-f]{64}/g)) blobs.add(name)
  }
  return { releases: kept, blobs }
}

import type { Verifier } from '@landfall/engine'
import { createVerifier } from '@landfall/release'
import { type Digest, LandfallError } from '@landfall/stack'
import { keptTargets } from '../orders/config-names.ts'
import type { AgentStore } from '../store/agent-store.ts'
import type { Releases } from './releases.ts'
import type { Trust } from './trust.ts'

/** A newer keyset may say otherwise; until the newest was seen these are no verdict on the release. */
const mayPass = new Set(['E_KEYSET_EXPIRED', 'E_KEY_UNKNOWN', 'E_KEYSET_OLDER'])

/**
 * The engine's verifier over what is at the site. What a newer keyset could change is tried again with the newest one, and where
 * that can't be had, it is not held against the release for ever.
 *
 * @param refresh fetches the newest keyset: whether it was newer; null where there is nobody to ask
 */
export function createAgentVerifier(options: {
  releases: Releases
  trust: Trust
  store: AgentStore
  clock: { now(): number }
  refresh: () => Promise<boolean | null>
}): Verifier {
  const { releases, trust, store, clock, refresh } = options
  const verifier = createVerifier({
    clock,
    envelopes: (digest) => releases.envelope(digest),
    keyset: async () => trust.keyset(),
    root: async () => trust.root(),
    minKeysetVersion: async () => Math.max(1, trust.version()),
    // The engine's own memory: a release that was stable here stays loadable after its key was retired.
    accepted: async (digest, { id }) => ranHere(store, digest, id),
  })
  return {
    async load(digest, trusted, deployment) {
      try {
        return await verifier.load(digest, trusted, deployment)
      } catch (error) {
        if (!(error instanceof LandfallError) || !(mayPass.has(error.code) || error.code === 'E_KEYSET_MISSING'))
          throw error
        const asked = await refresh().catch(() => null)
        if (asked === true) return verifier.load(digest, trusted, deployment)
        // The manager was asked and has nothing newer: a key that it does not know either is a verdict.
        if (asked === false && error.code === 'E_KEY_UNKNOWN') throw error
        throw retryable(error)
      }
    },
  }
}

/** Whether a release was stable here, as far as the engine remembers. */
export function ranHere(store: AgentStore, release: Digest, deployment: string): boolean {
  const state = store.look(deployment)?.state ?? null
  return keptTargets(state && { ...state, candidate: null }, null).some((target) => target.release === release)
}

function retryable(error: LandfallError): LandfallError {
  const { code, message, hint, problems } = error
  return new LandfallError({ code, message, hint, problems, retryable: true, cause: error })
}

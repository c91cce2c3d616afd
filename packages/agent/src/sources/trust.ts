import {
  type Envelope,
  followRoot,
  type KeysetEnvelope,
  type PinnedRoot,
  publicKeyFrom,
  verifyKeyset,
} from '@landfall/release'
import { LandfallError } from '@landfall/stack'
import type { AgentState } from '../state/agent-state.ts'

/** What this agent believes: the root pinned at setup, as its rotations lead on, and the newest keyset seen under it. */
export interface Trust {
  root(): PinnedRoot
  /** Version of the newest keyset; 0: none yet. No lower one is taken again. */
  version(): number
  /** @throws LandfallError `E_KEYSET_MISSING` before the first one came */
  keyset(): KeysetEnvelope
  /** Takes a keyset with the rotations that lead to its root; false when it is not newer. @throws as `followRoot`, `verifyKeyset` */
  take(given: { envelope: Envelope; rotations: readonly Envelope[] }, now: number): boolean
}

interface StoredTrust {
  root: PinnedRoot
  keyset: { version: number; envelope: KeysetEnvelope } | null
}

/** @param pinned the root's public key as the setup brought it */
export function openTrust(state: AgentState, project: string, pinned: { publicKey: string }): Trust {
  const read = (): StoredTrust =>
    (state.get('trust') as StoredTrust | undefined) ?? {
      // 0: the setup does not say which of the project's roots it is; the first rotations that come tell.
      root: { ...publicKeyFrom(pinned.publicKey), version: 0 },
      keyset: null,
    }
  return {
    root: () => read().root,
    version: () => read().keyset?.version ?? 0,
    keyset() {
      const known = read().keyset
      if (known) return known.envelope
      throw new LandfallError({
        code: 'E_KEYSET_MISSING',
        message: 'No keyset has reached this agent yet, so that no signature can be checked.',
        hint: 'It comes with the first sync or bundle: see whether the agent reaches the manager, or import a bundle.',
        retryable: true,
      })
    },
    take({ envelope, rotations }, now) {
      return state.transaction(() => {
        const before = read()
        const root = followRoot(before.root, rotations, project)
        const minVersion = before.keyset?.version ?? 1
        // An expired one may be taken: it still revokes. What it allows is refused where a release is verified.
        const { version } = verifyKeyset(envelope, { root, minVersion, now, project, allowExpired: true })
        const newer = version > (before.keyset?.version ?? 0)
        const moved = root.id !== before.root.id
        if (!newer && !moved) return false
        state.put('trust', { root, keyset: { version, envelope } } satisfies StoredTrust)
        return true
      })
    },
  }
}

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentSetup } from '@landfall/contract'
import { LandfallError } from '@landfall/stack'
import { openIdentity } from '../identity/identity.ts'
import { takeSetup } from '../identity/setup.ts'
import { takeLock } from '../lock.ts'
import { readAgentKeyFile } from '../state/agent-key.ts'
import { AgentState } from '../state/agent-state.ts'
import { makeKeyFile } from './make-key.ts'

/** How an agent is set up, as a person should have read it before. */
export interface InitializedAgent {
  directory: string
  keyFile: string
  /** Whether the key was made now. */
  keyMade: boolean
  /** Fingerprint of the agent's own signing key: the vendor sees the same one when it enrols. */
  fingerprint: string
}

/**
 * Makes an agent's directory for one deployment: key (where there is none), sealed state, the agent's own key pairs. Nothing runs
 * and nothing is sent yet.
 *
 * @throws LandfallError `E_AGENT_EXISTS` when the directory holds an agent, `E_AGENT_KEY_FILE`, `E_AGENT_SETUP`, `E_AGENT_RUNNING`
 */
export function initAgent(options: { setup: AgentSetup; directory: string; keyFile: string }): InitializedAgent {
  const { setup, directory, keyFile } = options
  const lock = takeLock(directory)
  try {
    if (existsSync(join(directory, 'data.key')) || existsSync(join(directory, 'state.db'))) {
      throw new LandfallError({
        code: 'E_AGENT_EXISTS',
        message: `There is an agent in ${directory} already.`,
        hint: 'Start it with `landfall agent run`. To enrol it again, give `agent run` the new setup; for another deployment, take another directory.',
      })
    }
    const keyMade = !existsSync(keyFile)
    const key = keyMade ? makeKeyFile(keyFile) : readAgentKeyFile(keyFile)
    const state = AgentState.open(directory, key)
    try {
      const { fingerprint } = state.transaction(() => {
        takeSetup(state, setup)
        return openIdentity(state)
      })
      return { directory, keyFile, keyMade, fingerprint }
    } finally {
      state.close()
    }
  } finally {
    lock.release()
  }
}

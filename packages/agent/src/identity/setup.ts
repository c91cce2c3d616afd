import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type AgentSetup, agentSetup } from '@landfall/contract'
import { publicKeyFrom } from '@landfall/release'
import { canonicalJson, LandfallError, problemsOf } from '@landfall/stack'
import type { AgentState } from '../state/agent-state.ts'

/** The setup as the agent keeps it: without the token, which is used up. */
export type SavedSetup = Omit<AgentSetup, 'enrolment'>

export interface EnrolmentState {
  /** Null once the keys are bound. */
  token: string | null
  /** SHA-256 of the newest token that was given, so that a setup file left in place is not a new one at each start. */
  given: string
  expiresAt: string
  enrolledAt: number | null
}

const names = { setup: 'setup', enrolment: 'enrolment' } as const

export const enrolmentOf = (state: AgentState): EnrolmentState | null =>
  (state.get(names.enrolment) as EnrolmentState | undefined) ?? null

export const putEnrolment = (state: AgentState, enrolment: EnrolmentState): void =>
  state.put(names.enrolment, enrolment)

export const savedSetup = (state: AgentState): SavedSetup | null =>
  (state.get(names.setup) as SavedSetup | undefined) ?? null

/** Reads a setup file. @throws LandfallError `E_AGENT_SETUP` */
export async function readSetup(file: string): Promise<AgentSetup> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw unreadable(`${file} cannot be read`, [], cause)
  })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw unreadable(`${file} is not JSON`)
  }
  const parsed = agentSetup.safeParse(value)
  if (!parsed.success) throw unreadable(`${file} does not have the shape of a setup`, problemsOf(parsed.error, value))
  return parsed.data
}

/**
 * Takes the setup of the first start into the sealed state. The same one again changes nothing; another token for the same deployment is
 * a new enrolment that the vendor allowed, and nothing else of it is taken.
 *
 * @param given null: what is saved counts
 * @throws LandfallError `E_AGENT_SETUP` when there is none, `E_AGENT_SETUP_OTHER` when it is for something else
 */
export function takeSetup(state: AgentState, given: AgentSetup | null): SavedSetup {
  return state.transaction(() => {
    const known = savedSetup(state)
    if (!given) {
      if (known) return known
      throw unreadable('this directory has none yet, and none was given')
    }
    const { enrolment, ...setup } = given
    if (!known) {
      publicKeyFrom(setup.root.publicKey)
      state.put(names.setup, setup)
      putToken(state, enrolment)
      return setup
    }
    if (pinnedOf(known) !== pinnedOf(setup)) {
      throw new LandfallError({
        code: 'E_AGENT_SETUP_OTHER',
        message: `This agent is set up for the deployment ${known.deployment.name}; the setup given is not for it, or changes what was pinned.`,
        hint: 'Give another deployment a directory of its own. What was pinned at setup is never changed by another setup.',
      })
    }
    if (enrolmentOf(state)?.given !== hashOf(enrolment.token)) {
      putToken(state, enrolment)
      // A new binding counts its sessions from the start.
      state.delete('session')
    }
    return known
  })
}

function putToken(state: AgentState, { token, expiresAt }: AgentSetup['enrolment']): void {
  putEnrolment(state, { token, given: hashOf(token), expiresAt, enrolledAt: null })
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url')

/** What two setups of one agent must have in common: where it is, whom it trusts, to whom it answers. A name may change. */
function pinnedOf({ deployment, root, reply }: SavedSetup): string {
  const { name: _, ...where } = deployment
  return canonicalJson({ deployment: where, root, reply })
}

function unreadable(why: string, problems: LandfallError['problems'] = [], cause?: unknown): LandfallError {
  return new LandfallError({
    code: 'E_AGENT_SETUP',
    message: `The agent has no setup to work by: ${why}.`,
    hint: 'Have the vendor make one for this deployment and give its file at the first start.',
    problems,
    ...(cause === undefined ? {} : { cause }),
  })
}

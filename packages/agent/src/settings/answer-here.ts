import { type Digest, LandfallError } from '@landfall/stack'
import type { Agent } from '../agent.ts'
import type { AgentParts } from '../parts.ts'
import { setupAsked } from '../status/setup-asked.ts'
import { waitsOf } from '../status/waits.ts'

/**
 * Takes a person's answer at the site to what waits there now. An `update` that was refused may be approved later, and the other way
 * round, as long as it is still what is asked.
 *
 * @throws LandfallError `E_NOTHING_WAITS`
 */
export async function answerHere(parts: AgentParts, given: Parameters<Agent['answer']>[0]): Promise<void> {
  const { store, sources, setup, settings, audit, state, clock } = parts
  const { id } = setup.deployment
  const look = store.look(id)
  const waits = (await waitsOf(look, sources.releases, setupAsked(look, settings))).some(
    ({ gate, target }) => gate === given.gate && target === given.target,
  )
  const refused =
    given.gate === 'update' &&
    look?.desired.target?.digest === given.target &&
    look.state?.reason.code === 'UPDATE_REFUSED'
  if (!waits && !refused) {
    throw new LandfallError({
      code: 'E_NOTHING_WAITS',
      message: `Nothing waits for an answer to ${given.gate} of ${given.target}.`,
      hint: 'Read the status again: another target may be asked for by now, and what was approved for one lets no other in.',
    })
  }
  // What was asked when they looked: an order that came since asks anew.
  const asked = setupAsked(look, settings)
  const setUp = given.gate === 'setup' || (given.gate === 'update' && look?.desired.target?.release === asked)
  const at = clock.now()
  const message = given.message === undefined ? {} : { message: given.message }
  state.transaction(() => {
    settings.addAnswer({ ...given, target: given.target as Digest, at })
    if (asked !== null && setUp && given.status === 'pass') settings.approveSetup(asked)
    audit.append(id, [
      {
        at,
        type: 'answer.given',
        actor: given.by,
        message: `${given.status === 'pass' ? 'Approved' : 'Refused'} ${given.gate} of ${given.target} at the agent`,
        data: { gate: given.gate, target: given.target, status: given.status, ...message },
      },
    ])
    store.touch(id)
  })
  parts.wake()
}

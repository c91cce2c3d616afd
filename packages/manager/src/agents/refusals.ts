import { LandfallError } from '@landfall/stack'

const make = (code: string, message: string, hint: string, more: { retryable?: boolean } = {}) =>
  new LandfallError({ code, message, hint, ...more })

/** For a token that is unknown, wrong or over, and for a deployment that is not there: all the same, so that nobody learns which. */
export const enrolmentRefused = () =>
  make(
    'E_ENROLMENT_REFUSED',
    'The agent was not enrolled: its proof does not hold for this deployment, or its token has expired.',
    'Have the vendor make a new setup for this deployment, and give it to the agent.',
  )

export const alreadyEnrolled = (deployment: string) =>
  make(
    'E_AGENT_ENROLLED',
    `Another agent is enrolled for ${deployment}.`,
    'If that agent is lost or is to be replaced, make a new setup with `replace`: it ends the agent that is enrolled.',
  )

export const notEnrolled = (deployment: string) =>
  make(
    'E_AGENT_NOT_ENROLLED',
    `No agent is enrolled for ${deployment}.`,
    'Make a setup (`landfall deployments agent-setup NAME`), start the agent with it, and bring back what it exports, where there is no network.',
  )

export const noAgent = (deployment: string) =>
  make(
    'E_MODEL',
    `${deployment} is run by the manager itself: it has no agent.`,
    'Make another deployment with the model pull or airgapped.',
  )

/** For a deployment that is not there, one without an agent and a signature that is not its agent's: all the same. */
export const sessionRefused = () =>
  make(
    'E_SESSION_REFUSED',
    'No session was begun: the request is not signed by the key of this deployment’s agent.',
    'If the agent was replaced, it is over. Otherwise have the vendor make a new setup, and enrol it again.',
  )

export const cloned = () =>
  make(
    'E_AGENT_CLONED',
    'Two agents use the key of this deployment: this one does not know the last session that was begun with it.',
    'Find the other one: a copied volume, or a restored backup. Stop it, then have the vendor make a new setup with `replace`.',
  )

export const sessionEnded = () =>
  make(
    'E_SESSION_ENDED',
    'The agent’s session was ended, by a later one or because the agent was replaced.',
    'An agent begins a new session by itself; if that is refused, the refusal says what to do.',
  )

export const tooManyWaiting = () =>
  make('E_BUSY', 'As many agents wait here as this manager holds.', 'The agent asks again, a little later.', {
    retryable: true,
  })

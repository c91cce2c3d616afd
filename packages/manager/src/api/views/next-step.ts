/** Names that the commands to type are made with. */
export interface Situation {
  deployment: string
  /** Version it was told, and the newest of its channel. */
  target: string | null
  newest: string | null
  /** The rollout of the newest release, and the freeze in force. */
  rollout: string | null
  freeze: string | null
  /** When its environment is tried again after access was taken away; milliseconds since the epoch. */
  probeAt: number | null
  /** Where its customer approves updates. */
  approvesAt: 'portal' | 'agent'
  /** A setup was applied on this side that was not carried out there. */
  setupApplied: boolean
}

type Step = (situation: Situation) => string

/** Each says what to do, with the command to type where there is one. */
const steps: Readonly<Record<string, Step>> = {
  NO_RELEASE: () => 'Release: `landfall release`.',
  PINNED: ({ deployment }) =>
    `Let it follow its channel again: \`landfall deployments pin ${deployment} --release none\`.`,
  FROZEN: ({ freeze }) =>
    freeze === null ? 'Wait, or lift the freeze.' : `Wait, or lift the freeze: \`landfall freezes lift ${freeze}\`.`,
  NOT_ROLLED_OUT: ({ deployment, newest }) =>
    `Roll ${newest} out from its page in the dashboard, or bring it to this deployment alone: ` +
    `\`landfall deployments pin ${deployment} --release ${newest}\`.`,
  ROLLOUT_ABORTED: ({ rollout }) =>
    `Read why, then release a fix: \`landfall release\`; or start it again: \`landfall rollouts retry${given(rollout)}\`.`,
  ROLLOUT_PAUSED: ({ rollout }) => `Resume it: \`landfall rollouts resume${given(rollout)}\`.`,
  E_SECRET_MISSING: ({ deployment }) =>
    `Set the secrets that are named: \`landfall config set ${deployment} --secret NAME=@FILE\`.`,
  E_INPUT_INVALID: ({ deployment }) =>
    `Set the inputs that are named: \`landfall config set ${deployment} --input NAME=VALUE\`.`,
  NOT_SEEN: () => 'Nothing: a runner looks within seconds. If not, check that a manager runs: `landfall doctor`.',
  AGENT_NOT_SET_UP: ({ deployment }) =>
    `Make its setup and start the agent with it: \`landfall deployments agent-setup ${deployment}\`.`,
  AGENT_NOT_ENROLLED: ({ deployment }) =>
    `Start the agent with its setup; if that is lost or older than a week, make another: \`landfall deployments agent-setup ${deployment}\`.`,
  AGENT_AWAY: () => 'Check at the site that the agent runs and reaches this manager; then it goes on by itself.',
  AGENT_CLONED: ({ deployment }) =>
    `Find and stop the copy, then let one agent in again: \`landfall deployments agent-setup ${deployment} --replace\`.`,
  AGENT_AUDIT_BROKEN: ({ deployment }) =>
    `Look at the agent's own record there, then let it begin a new one: \`landfall deployments agent-setup ${deployment} --replace\`.`,
  NEEDS_SETUP: ({ deployment, target, newest, approvesAt, setupApplied }) =>
    approvesAt === 'agent' && setupApplied
      ? 'Have the setup approved at the site: `landfall agent approve`; then it goes on by itself.'
      : `Review what changes (\`landfall deployments show ${deployment}\`), then apply it: ` +
        `\`landfall deployments setup ${deployment} --release ${target ?? newest ?? 'VERSION'}\`.`,
  ACCESS_REVOKED: ({ deployment, probeAt }) =>
    `Have the customer give access back; then it goes on by itself${
      probeAt === null ? '' : ` (tried again at ${new Date(probeAt).toISOString().slice(0, 19)}Z)`
    }. What runs there goes on running. To see whether it did: \`landfall deployments explain ${deployment}\`.`,
  REVOKED_BY_CUSTOMER: ({ approvesAt }) =>
    approvesAt === 'agent'
      ? 'Ask the customer to grant access at the site (`landfall agent grant`); then it goes on by itself. What runs there goes on running.'
      : 'Ask the customer to grant access in the portal; then it goes on by itself. What runs there goes on running.',
  UPDATE_REFUSED: () =>
    'Ask the customer why; a later approval counts over the refusal. Or release another: `landfall release`.',
  UPDATES_PAUSED: () => 'Ask the customer to resume updates; then it goes on by itself.',
  WAITS_FOR_APPROVAL: ({ approvesAt }) =>
    approvesAt === 'agent'
      ? 'Have it approved at the site: `landfall agent approve`; then it goes on by itself.'
      : 'Have it approved by the customer, in the portal; then it goes on by itself.',
  AGENT_NOT_ACTED: () => 'Nothing: an agent that waits is told at once, another one when it next asks.',
  NO_BUNDLE: ({ deployment, newest }) =>
    `Make one, and have it carried there: \`landfall bundle create ${newest ?? 'VERSION'} --deployment ${deployment}\`.`,
  BUNDLE_UNREPORTED: () =>
    'Have it imported there (`landfall agent import FILE`), and bring back what the site exports: `landfall bundle import FILE`.',
  DISK_FULL: () => 'Have room made on the disk there; then it goes on by itself.',
  CLOCK_OFF: () => 'Have the clock of the machine set there: windows, expiry and what is logged go by it.',
  STATE_TAMPERED: ({ deployment }) =>
    `Its state was changed from outside, or its disk is failing. Set it up anew: \`landfall deployments agent-setup ${deployment} --replace\`.`,
  REJECTED: ({ deployment }) =>
    `Read why, then release a fix: \`landfall release\`; or try this one again: \`landfall deployments retry ${deployment}\`.`,
  FAILED: ({ deployment }) =>
    `Mend what is named (\`landfall deployments show ${deployment}\`), then try again: \`landfall deployments retry ${deployment}\`.`,
  PAUSED: ({ deployment }) =>
    `Look, then go on: \`landfall deployments resume ${deployment}\`; or go back: \`landfall deployments abort ${deployment}\`.`,
}
const given = (id: string | null) => (id === null ? '' : ` ${id}`)

/** What a person does about a kind of standstill; null when there is nothing to do but wait. */
export function nextStep(kind: string, situation: Situation): string | null {
  return steps[kind]?.(situation) ?? null
}

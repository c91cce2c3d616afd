import type { EndState } from './end-state.ts'

/** Rows that a person or the engine asked for once: there are as many however often somebody was killed. */
const exactTables = [
  'agents',
  'answers',
  'blobs',
  'channels',
  'commands',
  'configs',
  'controls',
  'data_keys',
  'deployments',
  'idempotency_keys',
  'invitations',
  'keysets',
  'projects',
  'releases',
  'rollouts',
  'secrets',
  'targets',
  'users',
]

/**
 * Links of the audit that say a thing happened, once each. What says that a step was tried (`resource.action`, `traffic.routed`, …) may
 * come again: a step whose answer was lost is done again.
 */
const exactEvents =
  /^(?:manager|agent) (?:area\.\w+|setup\.completed|resource\.(?:created|deleted)|rollout\.(?:complete|aborted)|deployment\.(?:created|told|promoted|returned|deleted)|command\.(?:queued|signed|succeeded|failed|expired)|bundle\.(?:imported|receipt)|export\.imported|enrolled)$/

/** What is wrong with the end of a disturbed run, measured by an undisturbed one of the same scenario. */
export function compare(end: EndState, calm: EndState): string[] {
  const attempts = Object.entries(end.effects).filter(([, count]) => count > 1)
  return [
    ...end.broken.map((what) => `an audit chain does not hold: ${what}`),
    ...attempts.map(([attempt, count]) => `the worker was given the attempt ${attempt} ${count} times`),
    ...(commandsOf(end) === commandsOf(calm)
      ? []
      : [`${commandsOf(end)} commands had an effect, not ${commandsOf(calm)}`]),
    ...different('file', end.files, calm.files),
    ...different('process', end.processes, calm.processes),
    ...different('table', end.tables, calm.tables, (name) => exactTables.includes(name)),
    ...different('audit', end.audit, calm.audit, (name) => exactEvents.test(name)),
  ]
}

/** Commands, not attempts: one whose worker was killed is tried again under the next number. */
const commandsOf = ({ effects }: EndState) => new Set(Object.keys(effects).map((line) => line.split(' ')[0])).size

function different(
  what: string,
  seen: Record<string, number>,
  wanted: Record<string, number>,
  counts: (name: string) => boolean = () => true,
): string[] {
  return [...new Set([...Object.keys(seen), ...Object.keys(wanted)])]
    .filter((name) => counts(name) && (seen[name] ?? 0) !== (wanted[name] ?? 0))
    .map((name) => `${what} ${name}: ${seen[name] ?? 0}, undisturbed ${wanted[name] ?? 0}`)
}

import type { Portal } from '../../api/types.ts'
import type { Choosable } from '../../ui/choice.tsx'

export type ChoiceKey = 'updates' | 'approvals' | 'telemetry'
export interface ChoiceWords {
  title: string
  /** `verb`: what the confirming button says. */
  choices: readonly (Choosable<string> & { verb: string })[]
}

/** Each setting that is a choice of one, with what its values mean for this deployment. */
export function choiceOf(key: ChoiceKey, page: Portal): ChoiceWords {
  const vendor = page.vendor.name
  switch (key) {
    case 'updates':
      return {
        title: 'How updates come',
        choices: [
          {
            value: 'automatic',
            label: 'Automatically',
            note: 'An update begins by itself, inside your maintenance windows.',
            verb: 'Let updates come automatically',
          },
          {
            value: 'approval',
            label: 'With your approval',
            note: 'Each update waits until it is approved. An approval is for one release with one config alone.',
            verb: 'Ask before each update',
          },
          {
            value: 'paused',
            label: 'Paused',
            note: 'Nothing new begins. What is on its way arrives, or goes back.',
            verb: 'Pause updates',
          },
        ],
      }
    case 'approvals':
      return {
        title: 'Where an approval counts',
        choices: [
          {
            value: 'portal',
            label: 'Here, in the portal',
            note: `Whoever has your link can approve. It reaches your environment as the word of ${vendor}’s manager.`,
            verb: 'Let approvals count here',
          },
          {
            value: 'agent',
            label: 'At the agent alone',
            note: 'An approval is given in your own environment, and what the portal says does not count: so nobody who holds this link, and not even a manager in wrong hands, can let an update in.',
            verb: 'Let approvals count at the agent alone',
          },
        ].filter(({ value }) => value !== 'agent' || page.deployment.model !== 'push'),
      }
    case 'telemetry':
      return {
        title: `What ${vendor} is told`,
        choices: [
          {
            value: 'on',
            label: 'Logs, metrics and traces',
            note: `${vendor} sees how the software does, and an update is measured by it.`,
            verb: 'Send everything',
          },
          {
            value: 'errors-only',
            label: 'Errors only',
            note: 'Lines and traces of errors leave your environment, nothing else does.',
            verb: 'Send errors only',
          },
          {
            value: 'off',
            label: 'Nothing',
            note: `No telemetry leaves your environment. ${vendor} can help less when something fails.`,
            verb: 'Send nothing',
          },
        ],
      }
  }
}

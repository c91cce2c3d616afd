import type { Model } from '../api/types.ts'
import type { IconName } from '../ui/icon.tsx'

/** The three models as icon and words: who runs the work, and by which road it comes. */
export const models: Record<Model, { icon: IconName; word: string; means: string }> = {
  push: {
    icon: 'push',
    word: 'push',
    means: 'The vendor’s manager reaches into the environment, with an identity that was given to it.',
  },
  pull: {
    icon: 'pull',
    word: 'pull',
    means: 'An agent in the environment asks the vendor for work and does it; the vendor holds no key to it.',
  },
  airgapped: {
    icon: 'airgap',
    word: 'airgapped',
    means: 'An agent in the environment works from files that people carry in; nothing goes out by itself.',
  },
}

/** The words of a model that a newer manager may name. */
export const modelOf = (model: string) => models[model as Model] ?? { icon: 'unknown' as const, word: model, means: '' }

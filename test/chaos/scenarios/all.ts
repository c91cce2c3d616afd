import { push } from './push.ts'
import type { Scenario } from './scenario.ts'
import { site } from './site.ts'

export const scenarios: readonly Scenario[] = [...push, ...site]

import type { Problem } from '../errors/landfall-error.ts'
import type { Manifest } from '../manifest/manifest.ts'
import type { ResourceType } from '../manifest/names.ts'
import { checkCycles } from './check-cycles.ts'
import { checkEnvironment } from './check-environment.ts'
import { checkGrants } from './check-grants.ts'
import { checkInputs } from './check-inputs.ts'
import { checkNames } from './check-names.ts'
import { checkPlatforms } from './check-platforms.ts'
import { checkRollouts } from './check-rollouts.ts'
import { checkTimes } from './check-times.ts'
import { checkTriggers } from './check-triggers.ts'

export type Types = ReadonlyMap<string, ResourceType>

const checks: readonly ((manifest: Manifest, types: Types) => Problem[])[] = [
  checkNames,
  checkInputs,
  checkGrants,
  checkTriggers,
  checkEnvironment,
  checkTimes,
  checkRollouts,
  checkPlatforms,
  checkCycles,
]

/** What is wrong with the meaning of a manifest whose form is right. `types` knows every resource by name. */
export const checkManifest = (manifest: Manifest, types: Types): Problem[] =>
  checks.flatMap((check) => check(manifest, types))

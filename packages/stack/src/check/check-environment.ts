import type { Problem } from '../errors/landfall-error.ts'
import { refusedEnvironmentName } from '../inputs/refused-environment.ts'
import type { Manifest } from '../manifest/manifest.ts'
import { unlistedInput } from '../sdk/compute.ts'
import type { Types } from './check-manifest.ts'
import { computeOf } from './compute-of.ts'

export function checkEnvironment(manifest: Manifest, types: Types): Problem[] {
  const problems: Problem[] = []
  for (const compute of computeOf(manifest)) {
    for (const [name, value] of Object.entries(compute.env)) {
      const path = `resources.${compute.name}.env.${name}`
      const refused = refusedEnvironmentName(name)
      if (refused) problems.push({ path, message: refused })
      if (typeof value === 'string') {
        if (value.includes('\0')) problems.push({ path, message: 'has a NUL character, which no environment can hold' })
      } else if ('input' in value) {
        if (Object.hasOwn(manifest.inputs, value.input)) continue
        const which = value.input === unlistedInput ? 'an input' : `the input "${value.input}"`
        problems.push({ path, message: `takes ${which} that is not in the stack: list it in inputs` })
      } else {
        const type = types.get(value.secret)
        if (type === 'secret') continue
        const is = type === undefined ? 'is not in the stack' : `is a ${type}`
        problems.push({ path, message: `takes the secret "${value.secret}", which ${is}: define it with secret()` })
      }
    }
  }
  return problems
}

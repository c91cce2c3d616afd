import { canonicalJson } from '../canonical/canonical.ts'
import { checkRaw } from '../check/check-raw.ts'
import { invalidStack } from '../check/invalid-stack.ts'
import type { Problem } from '../errors/landfall-error.ts'
import { type Manifest, manifestSchemaId } from '../manifest/manifest.ts'
import type { CompileContext } from './definition.ts'
import type { AnyInput } from './input.ts'
import type { Stack } from './stack.ts'

/**
 * The manifest of a stack: validated, defaults filled in, resources sorted by name. The order in which things are defined
 * does not change it.
 * @throws LandfallError `E_STACK_INVALID` with all problems at once.
 */
export function compileStack(stack: Stack): Manifest {
  const { resources, platforms, inputs = {} } = stack.options
  const names = new Map<AnyInput, string>(Object.entries(inputs).map(([name, one]) => [one, name]))
  const context: CompileContext = { inputName: (one) => names.get(one) }
  const problems: Problem[] = []

  const compiled = resources.map((one) => one.compile(context))
  const listed = new Map(compiled.map((one) => [one.name, one]))
  for (const mentioned of resources.flatMap((one) => one.mentions)) {
    const secret = mentioned.compile(context)
    const same = listed.get(mentioned.name)
    if (!same) {
      listed.set(mentioned.name, secret)
      compiled.push(secret)
    } else if (same.type === 'secret' && canonicalJson(same) !== canonicalJson(secret)) {
      problems.push({
        path: `resources.${mentioned.name}`,
        message: 'is defined twice, differently: define the secret once and use that in both places',
      })
    } else if (same.type !== 'secret') {
      problems.push({
        path: `resources.${mentioned.name}`,
        message: `is the name of a secret and of a ${String(same.type)}: rename one of them`,
      })
    }
  }

  const raw = {
    schema: manifestSchemaId,
    project: stack.name,
    platforms: [...new Set(platforms)].sort(),
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, one]) => [name, one.definition])),
    resources: compiled.sort((a, b) => (String(a.name) < String(b.name) ? -1 : 1)),
  }
  const checked = checkRaw(raw)
  problems.push(...checked.problems)
  if (problems.length > 0 || !checked.manifest) throw invalidStack(stack.name, problems)
  return checked.manifest
}

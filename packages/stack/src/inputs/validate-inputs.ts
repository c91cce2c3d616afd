import { LandfallError, type Problem } from '../errors/landfall-error.ts'
import type { Manifest } from '../manifest/manifest.ts'
import { problemOfValue } from './problem-of-value.ts'

export type InputValue = string | number | boolean
export type InputValues = Readonly<Record<string, InputValue>>

/**
 * The values of a deployment's inputs, defaults filled in, sorted by name. Inputs without a value and default are left out.
 * @param by only inputs of this side may be given; left out: of both.
 * @throws LandfallError `E_INPUT_INVALID` with all problems: unknown, missing, of another type, outside of what is allowed.
 */
export function validateInputs(
  manifest: Pick<Manifest, 'inputs'>,
  values: Readonly<Record<string, unknown>>,
  by?: 'vendor' | 'customer',
): InputValues {
  const problems: Problem[] = []
  const result: Record<string, InputValue> = {}
  for (const name of Object.keys(values).sort()) {
    if (Object.hasOwn(manifest.inputs, name)) continue
    const known = Object.keys(manifest.inputs).sort()
    const message = `is not an input of this release: it has ${known.length === 0 ? 'none' : known.join(', ')}`
    problems.push({ path: `inputs.${name}`, message })
  }
  for (const [name, definition] of Object.entries(manifest.inputs).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const path = `inputs.${name}`
    const given = Object.hasOwn(values, name) ? values[name] : undefined
    const value = given ?? definition.default
    if (value === undefined) {
      if (definition.required) problems.push({ path, message: `is missing: the ${definition.providedBy} must give it` })
      continue
    }
    if (given !== undefined && given !== null && by !== undefined && definition.providedBy !== by) {
      problems.push({ path, message: `is for the ${definition.providedBy} to give: leave it out` })
      continue
    }
    const wrong = problemOfValue(definition, value)
    if (wrong) problems.push({ path, message: wrong })
    else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') result[name] = value
  }
  if (problems.length === 0) return result
  throw new LandfallError({
    code: 'E_INPUT_INVALID',
    message: `Inputs can't be used: ${problems.map(({ path, message }) => `${path} ${message}`).join('; ')}.`,
    hint: 'Correct the values and send them again.',
    problems,
  })
}

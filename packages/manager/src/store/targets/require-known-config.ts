import { LandfallError, type Manifest, validateInputs } from '@landfall/stack'
import type { InputValue } from '../tables/deployments.ts'

/**
 * Refuses inputs and secrets that a release does not know or allow. What is missing is not refused: somebody else may have
 * to give it.
 *
 * @throws LandfallError `E_INPUT_INVALID`, `E_SECRET_UNKNOWN`
 */
export function requireKnownConfig(
  manifest: Manifest,
  inputs: Readonly<Record<string, InputValue>>,
  secrets: Readonly<Record<string, unknown>>,
): void {
  const optional = Object.fromEntries(
    Object.entries(manifest.inputs).map(([name, definition]) => [name, { ...definition, required: false }]),
  )
  validateInputs({ inputs: optional }, inputs)
  const known = manifest.resources.flatMap((resource) =>
    resource.type === 'secret' && resource.providedBy !== 'generated' ? [resource.name] : [],
  )
  const unknown = Object.keys(secrets).filter((name) => !known.includes(name))
  if (unknown.length === 0) return
  throw new LandfallError({
    code: 'E_SECRET_UNKNOWN',
    message: `The release has no secret to be given by the name of ${unknown.join(', ')}.`,
    hint: known.length > 0 ? `It has ${known.join(', ')}.` : 'It has none.',
    problems: unknown.map((name) => ({ path: `secrets.${name}`, message: 'is not a secret of this release' })),
  })
}

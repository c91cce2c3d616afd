import { checkRaw } from '../check/check-raw.ts'
import { LandfallError, type Problem } from '../errors/landfall-error.ts'
import { type Manifest, manifestSchemaId } from './manifest.ts'

/** Largest manifest, in bytes of UTF-8. */
export const maxManifestBytes = 1024 * 1024

/**
 * Reads a manifest from outside: its size, form and meaning are checked, defaults filled in.
 * @param json its text or bytes (UTF-8).
 * @throws LandfallError `E_MANIFEST_TOO_LARGE`, `E_MANIFEST_VERSION` (of another version of Landfall), or `E_MANIFEST_INVALID`
 *   with all problems at once.
 */
export function parseManifest(json: string | Uint8Array): Manifest {
  const bytes = typeof json === 'string' ? Buffer.byteLength(json) : json.byteLength
  if (bytes > maxManifestBytes) {
    throw new LandfallError({
      code: 'E_MANIFEST_TOO_LARGE',
      message: `The manifest has ${bytes} bytes; at most ${maxManifestBytes} are allowed.`,
      hint: 'Move large values (Helm values, JSON Schemas) out of the stack, or split the product into two projects.',
    })
  }
  const raw = parseJson(json)
  if (raw === null || typeof raw !== 'object' || Array.isArray(raw)) {
    throw invalid([{ path: '', message: 'must be a JSON object' }])
  }
  const schema: unknown = Reflect.get(raw, 'schema')
  if (schema !== manifestSchemaId) throw otherVersion(schema)
  const { manifest, problems } = checkRaw({ ...raw })
  if (!manifest) throw invalid(problems)
  return manifest
}

function parseJson(json: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof json === 'string' ? json : new TextDecoder('utf-8', { fatal: true }).decode(json))
  } catch {
    // The parser's message quotes the text, which could hold anything.
    throw invalid([{ path: '', message: 'is not JSON in UTF-8' }])
  }
}

function otherVersion(schema: unknown): LandfallError {
  if (typeof schema !== 'string' || !/^landfall\.dev\/manifest\/v\d{1,6}$/.test(schema)) {
    return invalid([{ path: 'schema', message: `must be "${manifestSchemaId}"` }])
  }
  return new LandfallError({
    code: 'E_MANIFEST_VERSION',
    message: `The manifest is of the schema ${schema}; this Landfall understands ${manifestSchemaId}.`,
    hint: 'Upgrade the Landfall that reads it (manager, agent or CLI), or release with a version as old as it.',
    subject: 'schema',
  })
}

function invalid(problems: readonly Problem[]): LandfallError {
  const [first] = problems
  const more = problems.length - 1
  return new LandfallError({
    code: 'E_MANIFEST_INVALID',
    message: `The manifest can't be used: ${first?.path || 'it'} ${first?.message}${more > 0 ? ` (and ${more} more)` : ''}.`,
    hint: 'A manifest is made by `landfall build`, never by hand: build it again with this version.',
    problems,
  })
}

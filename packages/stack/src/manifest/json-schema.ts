import { z } from 'zod'
import { manifest } from './manifest.ts'

/** The manifest as JSON Schema (2020-12): its form, without the checks of meaning. Published at `schema/manifest.v1.json`. */
export function manifestJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(manifest, { target: 'draft-2020-12', io: 'input' })
  return {
    $schema,
    $id: 'https://landfall.dev/schema/manifest.v1.json',
    title: 'Landfall manifest, version 1',
    description:
      'What a stack compiles to. Made by `landfall build`; its digest is over its canonical form (RFC 8785).',
    ...schema,
  }
}

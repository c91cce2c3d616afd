import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LandfallError } from '../errors/landfall-error.ts'
import { manifestJsonSchema } from './json-schema.ts'
import { maxManifestBytes, parseManifest } from './parse-manifest.ts'

const good = {
  schema: 'landfall.dev/manifest/v1',
  project: 'acme',
  platforms: ['local'],
  resources: [{ type: 'queue', name: 'jobs', lifecycle: 'frozen' }],
}

function refusal(json: string | Uint8Array): LandfallError {
  try {
    parseManifest(json)
  } catch (error) {
    if (LandfallError.is(error)) return error
    throw error
  }
  throw new Error('it was accepted')
}
const changed = (change: object) => JSON.stringify({ ...good, ...change })

describe('parseManifest', () => {
  it('takes text and bytes, and fills in defaults', () => {
    const manifest = parseManifest(JSON.stringify(good))
    expect(manifest.resources[0]).toMatchObject({ maxDeliveries: 5, visibilityTimeout: '30s' })
    expect(parseManifest(new TextEncoder().encode(JSON.stringify(good)))).toEqual(manifest)
  })

  it('refuses more than 1 MiB before it is read', () => {
    expect(refusal(`"${'x'.repeat(maxManifestBytes)}"`).code).toBe('E_MANIFEST_TOO_LARGE')
    expect(refusal(new Uint8Array(maxManifestBytes + 1)).code).toBe('E_MANIFEST_TOO_LARGE')
    // In UTF-8, not in characters.
    expect(refusal(`"${'é'.repeat(maxManifestBytes / 2)}"`).code).toBe('E_MANIFEST_TOO_LARGE')
  })

  it('tells another version apart from what is wrong', () => {
    const newer = refusal(changed({ schema: 'landfall.dev/manifest/v2', novelty: true }))
    expect(newer.code).toBe('E_MANIFEST_VERSION')
    expect(newer.hint).toContain('Upgrade')
    expect(refusal(changed({ schema: 'x' })).code).toBe('E_MANIFEST_INVALID')
    expect(refusal(changed({ schema: undefined })).code).toBe('E_MANIFEST_INVALID')
  })

  it.each([
    ['an unknown field', { color: 'red' }, 'color'],
    ['a wrong type', { platforms: 'local' }, 'platforms'],
    ['an unknown platform', { platforms: ['moon'] }, 'platforms[0]'],
    ['an unknown field of a resource', { resources: [{ ...good.resources[0], x: 1 }] }, 'resources.jobs.x'],
    ['two of a name', { resources: [good.resources[0], good.resources[0]] }, 'resources.jobs'],
    [
      'a meaning that can not be',
      {
        resources: [
          {
            type: 'worker',
            name: 'w',
            lifecycle: 'live',
            code: { kind: 'source', entry: 'w.ts' },
            uses: [{ resource: 'no', access: ['read'] }],
          },
        ],
      },
      'resources.w.uses[0]',
    ],
  ])('refuses %s, with its place', (_what, change, path) => {
    const error = refusal(changed(change))
    expect([error.code, error.problems.map((one) => one.path)]).toEqual(['E_MANIFEST_INVALID', [path]])
    expect(error.hint).not.toBe('')
  })

  it.each(['', '{', 'null', '[]', '3', '"x"'])('refuses %s', (json) => {
    expect(refusal(json).code).toBe('E_MANIFEST_INVALID')
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(refusal(Uint8Array.of(0x7b, 0xff, 0x7d)).code).toBe('E_MANIFEST_INVALID')
  })

  it('never fails in another way, and never repeats what it was given', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom('resources', 'platforms', 'inputs', 'project'), (json, field) => {
        const error = refusal(JSON.stringify({ ...good, [field]: { hunter2: JSON.parse(json), x: 'hunter2 secret' } }))
        expect(error.code).toBe('E_MANIFEST_INVALID')
        expect(JSON.stringify(error)).not.toContain('hunter2 secret')
      }),
    )
  })
})

describe('the published JSON Schema', () => {
  it('is current (otherwise: npm run schema -w @landfall/stack)', () => {
    const file = readFileSync(new URL('../../schema/manifest.v1.json', import.meta.url), 'utf8')
    expect(JSON.parse(file)).toEqual(JSON.parse(JSON.stringify(manifestJsonSchema())))
  })

  it('refuses unknown fields and does not demand what has a default', () => {
    const schema = manifestJsonSchema()
    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      additionalProperties: false,
    })
    expect(schema.required).toEqual(['schema', 'project', 'platforms', 'resources'])
  })
})

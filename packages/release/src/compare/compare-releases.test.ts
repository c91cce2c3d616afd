import { describe, expect, it } from 'vitest'
import { builtManifest, statementOf } from '../testing/fixtures.ts'
import { compareReleases } from './compare-releases.ts'

describe('the difference of two releases', () => {
  it('is empty for the same content', () => {
    expect(compareReleases(statementOf(), statementOf(undefined, { version: '1.0.1', sequence: 8 }))).toEqual({
      from: '1.0.0',
      lines: [],
    })
  })

  it('says what is new, what may be done now, and what has to be set up, in words', () => {
    const digest = `sha256:${'b'.repeat(64)}`
    const after = statementOf(builtManifest({ env: { LOG_LEVEL: 'debug', REGION: 'eu' }, grants: 'more', digest }))
    const { lines } = compareReleases(statementOf(), after)
    const said = (area: string) => lines.filter((line) => line.area === area).map((line) => line.change)
    expect(said('permissions')).toEqual(['api may now send jobs', 'api may now write uploads'])
    expect(said('config')).toEqual(['api: LOG_LEVEL is "debug"; it was "info"', 'api: REGION is set to "eu"'])
    expect(said('artifacts')).toEqual([
      'api: code is sha256:bbbbbbbbbbbb… (1.2 KiB); it was sha256:aaaaaaaaaaaa… (1.2 KiB)',
    ])
    expect(said('setup')).toHaveLength(2)
    expect(said('stack')).toEqual([])
  })

  it('tells removed and changed resources', () => {
    const before = builtManifest()
    const resources = before.resources
      .filter((resource) => resource.name !== 'jobs')
      .map((resource) => (resource.type === 'worker' ? { ...resource, memoryMb: 1024, public: false } : resource))
    const { lines } = compareReleases(statementOf(before), statementOf({ ...before, resources }))
    expect(lines.map((line) => line.change)).toEqual([
      'api is no longer reachable by the public',
      'api: memoryMb is 1024; it was 512',
      'jobs (queue) is removed',
    ])
  })

  it('lists everything for a first release', () => {
    const { from, lines } = compareReleases(null, statementOf())
    expect(from).toBeNull()
    expect(lines.filter((line) => line.area === 'stack').map((line) => line.change)).toEqual([
      'api (worker) is new',
      'jobs (queue) is new',
      'stripe-key (secret) is new',
      'uploads (storage) is new',
    ])
    expect(lines.some((line) => line.area === 'setup')).toBe(false)
  })
})

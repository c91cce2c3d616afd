import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main } from '../main.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'landfall-cli-backup-'))
  writeFileSync(join(directory, 'key'), 'ab'.repeat(32), { mode: 0o600 })
  writeFileSync(join(directory, 'open-key'), 'ab'.repeat(32), { mode: 0o644 })
  writeFileSync(join(directory, 'short'), 'hunter2\n', { mode: 0o600 })
  writeFileSync(join(directory, 'no-backup'), 'something else')
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function run(...args: string[]) {
  let out = ''
  let err = ''
  const code = await main(args, {
    environment: { HOME: directory },
    directory,
    streams: { out: { write: (text) => (out += text) }, err: { write: (text) => (err += text) } },
    signal: new AbortController().signal,
  })
  return { code, out, err }
}
const refusal = async (...args: string[]) => {
  const { code, out, err } = await run(...args, '--json')
  expect({ code, out }).toEqual({ code: 1, out: '' })
  return JSON.parse(err).error.code
}

describe('landfall backup and restore', () => {
  it('want exactly one secret, and say so as wrong usage', async () => {
    for (const args of [
      ['backup', '--out', 'b'],
      ['backup', '--out', 'b', '--key-file', 'key', '--passphrase-file', 'short'],
      ['restore', 'no-backup'],
      ['backup', '--key-file', 'key'],
      ['restore', '--key-file', 'key'],
    ]) {
      expect((await run(...args)).code, args.join(' ')).toBe(2)
    }
  })

  it('refuse a secret that others can read or that is none, a file that is no backup, and a directory without data', async () => {
    expect(await refusal('restore', 'no-backup', '--key-file', 'open-key')).toBe('E_BACKUP_KEY')
    expect(await refusal('restore', 'no-backup', '--key-file', 'none')).toBe('E_BACKUP_KEY')
    expect(await refusal('restore', 'no-backup', '--key-file', 'short')).toBe('E_BACKUP_KEY')
    expect(await refusal('restore', 'no-backup', '--passphrase-file', 'short')).toBe('E_BACKUP_KEY')
    expect(await refusal('restore', 'no-backup', '--key-file', 'key')).toBe('E_BACKUP_INVALID')
    expect(await refusal('restore', 'no-backup', '--check', '--key-file', 'key')).toBe('E_BACKUP_INVALID')
    expect(await refusal('restore', 'nowhere', '--key-file', 'key')).toBe('E_BACKUP_FILE')
    expect(await refusal('backup', '--data', 'empty', '--out', 'b', '--key-file', 'key')).toBe('E_BACKUP_FILE')
    expect(await refusal('backup', '--data', 'empty', '--out', 'b', '--key-file', 'key', '--include-master-key')).toBe(
      'E_MASTER_KEY_FILE',
    )
    // Nothing was made on the way.
    expect(readdirSync(directory).sort()).toEqual(['key', 'no-backup', 'open-key', 'short'])
  })
})

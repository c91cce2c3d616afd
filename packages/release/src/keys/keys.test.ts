import { generateKeyPairSync } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { codeOf } from '../testing/fixtures.ts'
import { readKeyFile, writeKeyFile } from './key-file.ts'
import { createRootKey, createSigningKey, publicKeyFrom, signingKeyFromPem } from './signing-key.ts'

let dir = ''
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'landfall-keys-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

describe('keys', () => {
  it('come back from their file, with and without a passphrase', async () => {
    const key = createRootKey()
    for (const passphrase of [undefined, 'correct horse battery staple']) {
      const file = join(dir, `root-${passphrase ? 'sealed' : 'plain'}.pem`)
      await writeKeyFile(file, key, passphrase)
      expect((await stat(file)).mode & 0o777).toBe(0o600)
      const read = await readKeyFile(file, passphrase)
      expect(read.id).toBe(key.id)
      const message = new TextEncoder().encode('m')
      expect(await read.sign(message)).toEqual(await key.sign(message))
    }
    expect(await readFile(join(dir, 'root-sealed.pem'), 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/)
  })

  it('are refused with a code when the file or the passphrase is wrong', async () => {
    const key = createRootKey()
    const file = join(dir, 'wrong.pem')
    await writeKeyFile(file, key, 'secret-passphrase')
    expect(await codeOf(() => readKeyFile(file))).toBe('E_KEY_PASSPHRASE')
    expect(await codeOf(() => readKeyFile(file, 'another'))).toBe('E_KEY_PASSPHRASE')
    expect(await codeOf(() => readKeyFile(join(dir, 'absent.pem')))).toBe('E_KEY_FILE')
    expect(await codeOf(() => writeKeyFile(file, createRootKey()))).toBe('E_KEY_EXISTS')
    await chmod(file, 0o644)
    expect(await codeOf(() => readKeyFile(file, 'secret-passphrase'))).toBe('E_KEY_FILE')
    await writeFile(join(dir, 'text.pem'), 'hello', { mode: 0o600 })
    expect(await codeOf(() => readKeyFile(join(dir, 'text.pem')))).toBe('E_KEY_FILE')
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const pem = rsa.export({ type: 'pkcs8', format: 'pem' }).toString()
    expect(await codeOf(() => signingKeyFromPem(pem))).toBe('E_KEY_FILE')
  })

  it('never show their private half', () => {
    const key = createSigningKey('vendor')
    const seed = key.toPem().split('\n')[1] ?? ''
    expect(seed.length).toBeGreaterThan(40)
    const shown = inspect(key, { depth: 10, showHidden: true }) + JSON.stringify(key) + String(key)
    expect(shown).toContain(key.id)
    expect(shown).not.toContain(seed.slice(-43))
  })

  it('are known by base64 and by PEM', async () => {
    const key = createSigningKey('manager')
    expect(publicKeyFrom(key.publicKey)).toEqual(key.toPublic())
    const pem = `-----BEGIN PUBLIC KEY-----\n${key.publicKey}\n-----END PUBLIC KEY-----\n`
    expect(publicKeyFrom(pem)).toEqual(key.toPublic())
    for (const text of ['', 'hello', key.publicKey.slice(0, 30)]) {
      expect(await codeOf(() => publicKeyFrom(text))).toBe('E_KEY_FILE')
    }
  })
})

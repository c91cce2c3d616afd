import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnvelope, verifyCommand, verifyKeyset } from '@landfall/release'
import { afterEach, expect, it } from 'vitest'
import { createKeys, readKey } from '../keys/key-store.ts'
import { main } from '../main.ts'

const directory = mkdtempSync(join(tmpdir(), 'landfall-sign-'))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

it('signs a command without the manager, for one deployment and a time; never over a file that is there', async () => {
  const environment = { HOME: directory }
  const { keyset } = await createKeys(environment, 'acme', Date.now())
  const run = async (...args: string[]) => {
    let err = ''
    const streams = { out: { write: () => {} }, err: { write: (text: string) => (err += text) } }
    const signal = new AbortController().signal
    const code = await main(['command', 'sign', ...args, '--project', 'acme'], {
      environment,
      directory,
      streams,
      signal,
    })
    return { code, err }
  }
  const sign = (...more: string[]) =>
    run('dep_1', 'api.reindex', '--offline', '--days', '7', '--input', '{"from":1}', '--out', 'a.command', ...more)
  expect(await sign()).toEqual({ code: 0, err: expect.not.stringContaining('E_') })
  const root = await readKey(environment, 'acme', 'root')
  const statement = await verifyCommand(parseEnvelope(readFileSync(join(directory, 'a.command'), 'utf8').trim()), {
    keyset: verifyKeyset(keyset, { root, minVersion: 1, now: Date.now(), project: 'acme' }),
    ...{ project: 'acme', deployment: 'dep_1', now: Date.now() },
    nonces: { seen: async () => false },
  })
  expect(statement).toMatchObject({ worker: 'api', command: 'reindex', input: { from: 1 } })
  expect(Date.parse(statement.expiresAt) - Date.parse(statement.issuedAt)).toBe(7 * 86_400_000)
  expect((await sign()).code).toBe(2)
  expect((await run('initech', 'api.reindex', '--offline')).code).toBe(2)
  expect((await run('dep_1', 'reindex', '--offline')).code).toBe(2)
  expect((await run('dep_1', 'api.reindex', '--offline', '--days', '0')).code).toBe(2)
})

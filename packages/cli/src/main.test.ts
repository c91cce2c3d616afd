import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { main } from './main.ts'
import { createProgram } from './program.ts'

const directories: string[] = []
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

async function run(args: string[], environment: Record<string, string> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'landfall-cli-'))
  directories.push(directory)
  let out = ''
  let err = ''
  const code = await main(args, {
    environment: { HOME: directory, ...environment },
    directory,
    streams: { out: { write: (text) => (out += text) }, err: { write: (text) => (err += text) } },
    signal: new AbortController().signal,
  })
  return { code, out, err, directory }
}

describe('landfall', () => {
  it('answers --help and --version with 0', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, out: '0.1.0\n' })
    const help = await run(['--help'])
    expect(help.code).toBe(0)
    expect(help.out).toContain('Exit codes: 0 done, 1 failed, 2 usage, 3 waits for a person, 4 went back.')
  })

  it('gives every command examples', () => {
    const streams = { out: { write: () => {} }, err: { write: () => {} } }
    const program = createProgram({ environment: {}, directory: '.', streams, signal: new AbortController().signal })
    const leaves = program.commands.flatMap((command) => (command.commands.length > 0 ? command.commands : [command]))
    expect(leaves.length).toBeGreaterThan(45)
    for (const command of leaves) {
      let help = ''
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
      expect(help, command.name()).toContain('$ landfall ')
    }
  })

  it('ends wrong usage with 2', async () => {
    expect((await run(['releese'])).code).toBe(2)
    expect((await run(['deployments', 'pin', 'acme'])).code).toBe(2)
    const unasked = await run(['login', 'http://127.0.0.1:1'])
    expect(unasked.code).toBe(2)
    expect(unasked.err).toContain('E_USAGE')
  })

  it('says what, what to do and the code when no manager is named', async () => {
    const { code, out, err } = await run(['releases', 'ls', '--project', 'acme'])
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err.split('\n')[0]).toContain('No manager is named.')
    expect(err).toContain('landfall login URL')
    expect(err).toContain('E_NO_MANAGER · docs/errors/E_NO_MANAGER.md')
  })

  it('gives errors as JSON with --json', async () => {
    const { code, err } = await run(['releases', 'ls', '--project', 'acme', '--url', 'http://127.0.0.1:1', '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(err).error.code).toBe('E_UNREACHABLE')
  })

  it('never asks without a TTY', async () => {
    const { code, err } = await run(['login', 'http://127.0.0.1:1', '--email', 'a@example.com'])
    expect(code).toBe(2)
    expect(err).toContain('nobody can be asked')
  })

  it('makes a project that compiles, and does not write over one', async () => {
    const { code, directory } = await run(['init', 'acme-notes'])
    expect(code).toBe(0)
    expect(JSON.parse(readFileSync(join(directory, 'acme-notes', 'landfall.json'), 'utf8'))).toEqual({
      project: 'acme-notes',
    })
    const again = await run(['init', join(directory, 'acme-notes')])
    expect(again.code).toBe(1)
    expect(again.err).toContain('E_INIT_EXISTS')
    const built = await run(['build', '--manifest', '--directory', join(directory, 'acme-notes'), '--json'])
    expect(built.code, built.err).toBe(0)
    expect(JSON.parse(built.out)).toMatchObject({ project: 'acme-notes', platforms: ['local'] })
  })

  it('refuses a name that can not be a project', async () => {
    const { code, err } = await run(['init', '.', '--name', 'Acme Notes'])
    expect(code).toBe(2)
    expect(err).toContain('lower-case letters')
  })
})

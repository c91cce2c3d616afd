import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agentProgram } from './agent-program.ts'
import { hostArgument } from './host-argument.ts'

const run = promisify(execFile)

/** A directory without any package: what a site has. */
let dir = ''
let program = ''
let bytes: Uint8Array

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'landfall-program-'))
  program = join(dir, 'landfall-agent.mjs')
  bytes = await agentProgram()
  await writeFile(program, bytes)
}, 60_000)
afterAll(() => rm(dir, { recursive: true, force: true }))

const call = (...args: string[]) =>
  run(process.execPath, [program, ...args], { cwd: dir, env: { PATH: process.env.PATH, HOME: dir } })
const failed = (work: Promise<unknown>): Promise<{ code: number; stderr: string }> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  )

describe("the agent's program as one file", () => {
  it('is the same bytes each time, and holds no path of where it was made', async () => {
    expect(Buffer.from(await agentProgram()).equals(bytes)).toBe(true)
    expect(Buffer.from(bytes).includes(import.meta.dirname)).toBe(false)
  }, 60_000)

  it('starts where nothing is installed', async () => {
    expect((await call('--help')).stdout).toContain("Runs a vendor's software")
    expect((await call('bundle', 'verify', '--help')).stdout).toContain('--root')
    for (const args of [['agent', 'status'], ['status'], ['run'], ['import'], ['export']]) {
      expect((await call(...args, '--help')).stdout, args.join(' ')).toContain('landfall agent')
    }
    expect((await failed(call('bundle', 'inspect', 'nothing.bundle'))).stderr).toContain('E_BUNDLE_NOT_FOUND')
  })

  it('is the daemon of an environment too, which does not begin without access', async () => {
    expect(await failed(call(hostArgument, '--directory', dir))).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('nobody has given access'),
    })
  })
})

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const landfall = join(import.meta.dirname, '..', '..', 'bin', 'landfall.js')
const directory = mkdtempSync(join(tmpdir(), 'landfall-dev-'))
const project = join(directory, 'acme-notes')
const source = join(project, 'src', 'api.ts')
const events: Record<string, unknown>[] = []
let dev: ChildProcess

async function event(wanted: (one: Record<string, unknown>) => boolean, from = 0): Promise<Record<string, unknown>> {
  const until = Date.now() + 20_000
  while (Date.now() < until) {
    const found = events.slice(from).find(wanted)
    if (found) return found
    await sleep(20)
  }
  throw new Error(`not seen; the last events: ${JSON.stringify(events.slice(-5))}`)
}

const serving = (version: string) => (one: Record<string, unknown>) => one.kind === 'serving' && one.version === version
const url = (one: Record<string, unknown>) => String((one.urls as Record<string, string>).api)

beforeAll(async () => {
  await new Promise((done) => spawn(process.execPath, [landfall, 'init', project]).once('exit', done))
  dev = spawn(process.execPath, [landfall, 'dev', '--json'], { cwd: project, stdio: ['ignore', 'pipe', 'inherit'] })
  if (!dev.stdout) throw new Error('no output')
  createInterface({ input: dev.stdout }).on('line', (line) => events.push(JSON.parse(line)))
})

afterAll(async () => {
  if (dev.exitCode === null) {
    const ended = new Promise((done) => dev.once('exit', done))
    dev.kill('SIGTERM')
    await ended
  }
  rmSync(directory, { recursive: true, force: true })
})

describe('landfall dev', () => {
  it('serves the project', async () => {
    const ready = await event(serving('dev-1'))
    expect(await (await fetch(url(ready))).json()).toEqual({ hello: 'acme-notes' })
  })

  it('serves what is saved, at the same address', async () => {
    const ready = await event(serving('dev-1'))
    expect((await fetch(`${url(ready)}/notes/one`, { method: 'PUT', body: 'first' })).status).toBe(204)
    writeFileSync(source, readFileSync(source, 'utf8').replace('hello:', 'changed:'))
    const changed = await event(serving('dev-2'))
    expect(url(changed)).toBe(url(ready))
    expect(await (await fetch(url(changed))).json()).toEqual({ changed: 'acme-notes' })
  })

  it('refuses what does not build, says where, and goes on serving what served', async () => {
    const good = readFileSync(source, 'utf8')
    const from = events.length
    writeFileSync(source, `${good}\nconst broken = (\n`)
    const refused = await event((one) => one.kind === 'refused', from)
    expect(refused.code).toBe('E_BUILD_SOURCE')
    expect(JSON.stringify(refused)).toContain('api.ts')
    const before = await event(serving('dev-2'))
    expect((await fetch(url(before))).status).toBe(200)
    writeFileSync(source, good.replace('changed:', 'mended:'))
    const mended = await event((one) => one.kind === 'serving', from)
    expect(await (await fetch(url(mended))).json()).toEqual({ mended: 'acme-notes' })
  })

  it('goes back when what is saved never becomes healthy', async () => {
    const good = readFileSync(source, 'utf8')
    const from = events.length
    writeFileSync(source, `${good}\nprocess.exit(1)\n`)
    const refused = await event((one) => one.kind === 'refused', from)
    expect(String(refused.code)).toMatch(/CRASH|START|EXIT/)
    const before = await event((one) => one.kind === 'serving', 0)
    expect((await fetch(url(before))).status).toBe(200)
    writeFileSync(source, good)
  })

  it('leaves no process behind', async () => {
    const ended = new Promise((done) => dev.once('exit', done))
    dev.kill('SIGTERM')
    await ended
    const probe = spawn('pgrep', ['-f', project])
    const code = await new Promise((done) => probe.once('exit', done))
    expect(code).toBe(1)
  })
})

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createTestManager, startTestServer, type TestManager, type TestServer } from '@landfall/manager/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main } from '../main.ts'

const call = promisify(execFile)

let server: TestServer
let http: Server
let manager: TestManager
let dir = ''
let site = ''
let token = ''
let agent: ChildProcess | undefined

const files = {
  'package.json': '{"name":"acme","version":"1.0.0"}',
  'landfall.json': '{"project":"acme"}',
  'landfall.config.ts': `import { command, Stack, worker } from '@landfall/stack'
export default new Stack('acme', { resources: [worker('api', { source: './api.ts', public: true, commands: { double: command({ input: { type: 'number' } }) } })], platforms: ['local'] })
`,
  'api.ts': `import { command } from '@landfall/runtime'
command('double', async (input) => ({ doubled: 2 * input }))
export default { fetch: () => new Response('hello from the site') }
`,
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'landfall-round-trip-'))
  site = join(dir, 'site')
  await mkdir(site)
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text)
  server = await startTestServer()
  manager = await createTestManager(server)
  http = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    const body = parts.length > 0 ? { body: Uint8Array.from(Buffer.concat(parts)) } : {}
    const answer = await manager.call(request.method ?? 'GET', request.url ?? '/', { headers, ...body })
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    response.end(Buffer.from(await answer.arrayBuffer()))
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  token = (await manager.person('ada', { operator: true })).token
})
afterAll(async () => {
  agent?.kill('SIGTERM')
  if (agent && agent.exitCode === null) await once(agent, 'exit')
  http.closeAllConnections()
  http.close()
  await server.stop()
  // Without its directory the daemon of the environment ends by itself, and its workers with it.
  await rm(dir, { recursive: true, force: true })
  await sleep(3_000)
})

/** At the vendor's. */
async function vendor<T>(...args: string[]): Promise<T> {
  let out = ''
  let err = ''
  // The site's clock is the machine's; the manager's stands still until it is moved.
  manager.clock.advance(Date.now() - manager.clock.now() + 1_000)
  const { port } = http.address() as AddressInfo
  const environment = { HOME: dir, LANDFALL_URL: `http://127.0.0.1:${port}`, LANDFALL_TOKEN: token }
  const streams = { out: { write: (text: string) => (out += text) }, err: { write: (text: string) => (err += text) } }
  const signal = new AbortController().signal
  const code = await main([...args, '--json'], { environment, directory: dir, streams, signal })
  if (code !== 0) throw new Error(`${args.join(' ')}: ${err}`)
  return JSON.parse(out)
}

/** At the site: the program that came in the bundle, in a place where nothing is installed and no manager is named. */
const program = () => join(site, 'landfall-agent.mjs')
const env = () => ({ PATH: process.env.PATH, HOME: site, LANDFALL_AGENT_DATA: join(site, 'data') })
async function there<T>(...args: string[]): Promise<T> {
  const { stdout } = await call(process.execPath, [program(), ...args, '--json'], { cwd: site, env: env() })
  return JSON.parse(stdout)
}

async function startThere(): Promise<void> {
  agent = spawn(process.execPath, [program(), 'run', '--json'], {
    cwd: site,
    env: env(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  agent.stderr?.on('data', (chunk) => (said += chunk))
  const lines = createInterface({ input: agent.stdout ?? process.stdin })
  for await (const line of lines) if (JSON.parse(line).kind === 'ready') return
  throw new Error(`the agent ended: ${said}`)
}

interface Status {
  state: { phase: string; stable: { release: string } | null; workers: Record<string, { url: string | null }> } | null
}

describe('a site without network', () => {
  it('gets its agent and its release in one file, and what it hands back shows at the vendor', async () => {
    await vendor('projects', 'create', 'acme')
    const { release } = await vendor<{ release: { digest: string } }>('release', '--version', '1.0.0', '--no-rollout')
    const environment = ['--environment', `directory=${join(site, 'environment')}`]
    await vendor('deployments', 'create', 'initech', '--model', 'airgapped', ...environment)
    await vendor('deployments', 'agent-setup', 'initech', '--out', join(site, 'setup.json'))
    const bundle = join(site, 'acme.bundle')
    const made = await vendor<{ parts: string; told: { deployment: string } }>(
      ...['bundle', 'create', '1.0.0', '--deployment', 'initech', '--out', bundle, '--split', '512K'],
    )
    expect(made.told.deployment).toBe('initech')
    await rm(bundle)
    expect((await readdir(site)).filter((name) => /\.\d{3}$/.test(name)).length).toBeGreaterThan(1)
    await vendor('bundle', 'verify', made.parts)
    await vendor('bundle', 'extract', made.parts, 'agent/landfall-agent.mjs', '--out', program())

    await there('init', '--setup', join(site, 'setup.json'))
    await startThere()
    const imported = await there<{ releases: string[]; generation: number }>('import', made.parts)
    expect(imported.releases).toEqual(['1.0.0'])
    let status = await there<Status>('status')
    for (let tries = 0; tries < 240 && status.state?.stable?.release !== release.digest; tries += 1) {
      await sleep(500)
      status = await there<Status>('status')
    }
    expect(status.state?.stable?.release, JSON.stringify(status.state)).toBe(release.digest)
    const answer = await fetch(status.state?.workers.api?.url ?? '')
    expect(await answer.text()).toBe('hello from the site')

    expect((await vendor<{ sentence: string }>('deployments', 'explain', 'initech')).sentence).toContain('not enrolled')
    const handedBack = join(site, 'one.export')
    await there('export', '--out', handedBack)
    const taken = await vendor<{ enrolled: boolean; receipts: { releases: string[] }[] }>(
      'bundle',
      'import',
      handedBack,
    )
    expect(taken).toMatchObject({ enrolled: true, status: 'imported', receipts: [{ releases: ['1.0.0'] }] })
    expect((await vendor<{ sentence: string }>('deployments', 'explain', 'initech')).sentence).toBe(
      'initech runs 1.0.0, the newest release of stable.',
    )
    expect(await vendor('bundle', 'import', handedBack)).toMatchObject({ status: 'already' })

    // The next bundle leaves out what the site has, tells it that its export arrived, and has a command run there.
    const signed = join(dir, 'double.command')
    const given = ['--input', '21', '--out', signed]
    const { id } = await vendor<{ id: string }>('command', 'sign', 'initech', 'api.double', ...given)
    await writeFile(join(dir, 'api.ts'), files['api.ts'].replace('hello', 'newer'))
    await vendor('release', '--version', '1.1.0', '--no-rollout')
    const delta = join(site, 'delta.bundle')
    const parts = ['--base', '1.0.0', '--no-agent', '--command', signed, '--out', delta]
    await vendor('bundle', 'create', '1.1.0', '--deployment', 'initech', ...parts)
    expect(await there('import', delta)).toMatchObject({ releases: ['1.1.0'], commands: [id] })
    const ran = async () => (await there<{ commands: { id: string; status: string }[] }>('status')).commands
    const ended = ['succeeded', 'failed', 'expired']
    for (let tries = 0; tries < 120; tries += 1) {
      if ((await ran()).some((one) => one.id === id && ended.includes(one.status))) break
      await sleep(500)
    }
    const exported = await there<{ sequence: number }>('export', '--out', join(site, 'two.export'))
    expect(exported.sequence).toBe(2)
    const second = await vendor('bundle', 'import', join(site, 'two.export'))
    // Confirmed by the order in the second bundle: the first receipt is not handed back again.
    expect(second).toMatchObject({ enrolled: false, receipts: [{ releases: ['1.1.0'] }] })
    const result = await vendor('command', 'show', 'initech', id)
    expect(result).toMatchObject({ status: 'succeeded', result: { doubled: 42 }, via: 'bundle' })
  }, 300_000)
})

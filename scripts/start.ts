import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { DeploymentRef } from '@landfall/engine'
import { stopHost } from '@landfall/platform-local'
import { removePostgres } from '@landfall/postgres'
import { buildDashboard } from './setup/build-dashboard.ts'
import { ensure, iproute } from './setup/system-packages.ts'
import { arrive } from './story/chapters/arrive.ts'
import { badRelease } from './story/chapters/bad-release.ts'
import { goodRelease } from './story/chapters/good-release.ts'
import { heldRelease } from './story/chapters/hold.ts'
import { leave } from './story/chapters/leave.ts'
import { sameEverywhere } from './story/chapters/same-everywhere.ts'
import { Claims } from './story/claims.ts'
import { customers } from './story/customers.ts'
import { Island } from './story/island.ts'
import { startManagerProcess } from './story/manager-process.ts'
import { createNarrator } from './story/narrator.ts'
import { Site } from './story/site.ts'
import { Traffic } from './story/traffic.ts'
import { account, project, Vendor } from './story/vendor.ts'

/**
 * `npm start`: the whole story on this machine, then it stays up with the dashboard. `-- --exit` checks every claim and
 * ends: 0, or 1 naming what did not hold. `-- --keep DIR` keeps what it made there. Uses `DATABASE_URL` where it is set.
 */
const { values } = parseArgs({
  options: { exit: { type: 'boolean' }, keep: { type: 'string' }, port: { type: 'string' } },
})
const started = Date.now()
const narrator = createNarrator(process.stdout, started)
const claims = new Claims()
const directory = values.keep ? resolve(values.keep) : mkdtempSync(join(tmpdir(), 'landfall-story-'))
mkdirSync(directory, { recursive: true })

let manager: Awaited<ReturnType<typeof startManagerProcess>> | null = null
let vendor: Vendor | null = null
const traffic = new Traffic()
for (const line of ensure([iproute])) narrator.say(line)
const island = await Island.open()
if ('unavailable' in island) {
  narrator.say(`not run: the network namespace of the airgapped site, because ${island.unavailable}`)
  if (process.env.CI === 'true') claims.check('The airgapped site runs without network', false, island.unavailable)
}
const globex = new Site('globex', join(directory, 'globex'))
const initech = new Site('initech', join(directory, 'initech'), 'unavailable' in island ? null : island)
let trouble: unknown = null
try {
  narrator.chapter('A manager on this machine')
  await buildDashboard((text) => narrator.say(text))
  narrator.command('landfall serve')
  narrator.say(
    process.env.DATABASE_URL ? 'with the PostgreSQL that DATABASE_URL names' : 'with an embedded PostgreSQL, made now',
  )
  manager = await startManagerProcess(directory, values.port ? Number(values.port) : await freePort())
  narrator.done(`dashboard and API at ${manager.url}`)
  narrator.command(`landfall projects create ${project}`)
  vendor = await Vendor.arrive(manager, directory)
  narrator.done('keys made on the vendor’s side; the manager knows only the public half')
  const stage = { vendor, narrator, claims, traffic, globex, initech }

  narrator.chapter('1.0.0 reaches four customers: two by push, one by pull, one by a file')
  await arrive(stage)
  narrator.chapter('1.1.0, a good release: measured, then promoted, wave after wave, then at the site')
  await goodRelease(stage, '1.1.0')
  narrator.chapter('1.2.0, a bad release: 3% of its requests fail')
  await badRelease(stage, '1.2.0', '1.1.0')
  narrator.chapter('1.2.1, the fix; and two customers who want to be asked')
  await heldRelease(stage, '1.2.1')
  narrator.chapter('The same in three models')
  await sameEverywhere(stage, '1.2.1')
  if (values.exit && !values.keep) {
    narrator.chapter('Everybody leaves')
    await leave(stage)
  }
} catch (error) {
  trouble = error
  claims.check('The story came to its end', false, error instanceof Error ? error.message : String(error))
}

narrator.chapter(
  `${claims.all.length - claims.failed.length} of ${claims.all.length} claims held, after ${Math.round((Date.now() - started) / 1000)} s`,
)
process.stdout.write(`${claims.table()}\n`)
if (trouble instanceof Error && trouble.stack) process.stderr.write(`${trouble.stack}\n`)

if (!values.exit && manager) {
  narrator.chapter('It stays up')
  narrator.say(`Dashboard   ${manager.url}   sign in as ${account.email} with “${account.password}”`)
  narrator.say(`Traffic goes on. Ctrl-C ends everything${values.keep ? ' and keeps its files' : ' and removes it'}.`)
  await new Promise<void>((done) => {
    process.once('SIGINT', () => done())
    process.once('SIGTERM', () => done())
  })
}

await traffic.stop()
if (manager && vendor && !values.keep) await leaveNothing(vendor)
const hosts = manager && vendor && values.keep ? await hostsOf(vendor) : []
for (const place of [globex, initech]) await place.stop()
await manager?.stop()
// After the runners, which would start them again.
for (const host of hosts) await stopHost(host)
if (!('unavailable' in island)) island.close()
if (values.keep) narrator.say(`kept in ${directory}: bundles in vendor/out, exports in initech/out, logs beside them`)
else {
  // The database may lie elsewhere: as root it needs a place that its own user can reach.
  await removePostgres(join(directory, 'manager', 'postgres'))
  rmSync(directory, { recursive: true, force: true })
}
process.exitCode = claims.failed.length === 0 ? 0 : 1

/** Destroys the deployments, as a customer who leaves would; waits a minute at most. */
async function leaveNothing({ client }: Vendor): Promise<void> {
  for (const { name } of customers)
    await client.destroyDeployment({ params: { project, deployment: name } }).catch(() => {})
  const until = Date.now() + 60_000
  while (Date.now() < until) {
    const { items } = await client.listDeployments({ params: { project } }).catch(() => ({ items: [] }))
    if (items.every((item) => item.phase === 'deleted')) return
    await new Promise((done) => setTimeout(done, 250))
  }
}

/** The customers' environments: kept ones sleep with their data. */
async function hostsOf({ client }: Vendor): Promise<DeploymentRef[]> {
  const params = customers.map(({ name }) => ({ project, deployment: name }))
  const details = await Promise.all(params.map((one) => client.getDeployment({ params: one }).catch(() => null)))
  const places = new Map([globex, initech].map((place) => [place.name, { directory: place.environment }]))
  return details
    .filter((detail) => detail !== null)
    .map(({ id, name, environment, model }) => ({
      ...{ id, name, project, prefix: name, platform: 'local', model },
      environment: places.get(name) ?? environment,
    }))
}

function freePort(): Promise<number> {
  return new Promise((done, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

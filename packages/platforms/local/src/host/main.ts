import { chmodSync, existsSync, lstatSync, rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { takeLock } from '../shared/lock.ts'
import { places } from '../shared/places.ts'
import { areaRoutes } from './control/area-routes.ts'
import { resourceRoutes } from './control/resource-routes.ts'
import { createControlServer } from './control/server.ts'
import { streamRoutes } from './control/stream-routes.ts'
import { workerRoutes } from './control/worker-routes.ts'
import { Host } from './host.ts'
import { report } from './report.ts'

/**
 * The host daemon of one environment: `node main.ts --directory DIR`. It may be killed at any instant; the next one
 * converges to what the store asks for. SIGTERM ends it with its workers.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { directory: { type: 'string' } } })
  if (values.directory === undefined) throw new Error('usage: main.ts --directory DIR')
  process.umask(0o077)
  const paths = places(values.directory)
  // A start that came late, when the area was closed meanwhile, must not make it again.
  if (!existsSync(paths.access)) return closed()
  const lock = takeLock(paths.lock)
  if (!lock) {
    console.error('another daemon holds this directory')
    process.exit(3)
  }
  if (!existsSync(paths.access)) {
    lock.close()
    for (const path of [paths.lock, `${paths.lock}-journal`]) rmSync(path, { force: true })
    return closed()
  }
  const host = new Host(paths)
  await host.start()
  const control = createControlServer(host, [...areaRoutes, ...resourceRoutes, ...workerRoutes, ...streamRoutes])
  // The lock is ours: a socket file that is there belongs to a dead daemon.
  if (lstatSync(paths.socket, { throwIfNoEntry: false })?.isSocket()) rmSync(paths.socket)
  control.on('error', report('the control server'))
  await new Promise<void>((resolve, reject) => {
    control.once('error', reject)
    control.listen(paths.socket, resolve)
  })
  chmodSync(paths.socket, 0o600)
  console.error(new Date().toISOString(), 'listening', process.pid)

  let ending = false
  const end = async () => {
    if (ending) return
    ending = true
    setTimeout(() => process.exit(1), 60_000).unref()
    control.close()
    await host.stop().catch(report('stopping'))
    rmSync(paths.socket, { force: true })
    // Named here, so that it is held until now: an object that nothing names is collected, and its lock with it.
    lock.close()
    process.exit(0)
  }
  process.once('SIGTERM', () => void end())
  process.once('SIGINT', () => void end())
  // Without its directory nobody can reach it any more: it must not stay behind with its workers.
  setInterval(() => {
    if (!existsSync(paths.hostDb)) void end()
  }, 2_000).unref()
  host.onClosed(() => {
    // The answer to the call that closed the area goes out first.
    setTimeout(() => {
      rmSync(paths.socket, { force: true })
      process.exit(0)
    }, 50)
  })
}

function closed(): never {
  console.error('nobody has given access to this directory, or it was taken away')
  process.exit(4)
}

// A promise that nobody holds leaves nothing half done in the event loop: the workers' router stays. A throw ends us.
process.on('unhandledRejection', report('work that nobody waits for'))

main().catch((error: unknown) => {
  console.error(new Date().toISOString(), error)
  process.exit(1)
})

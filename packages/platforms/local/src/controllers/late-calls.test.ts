import { rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ownerHeader } from '../shared/control.ts'
import { takeLock } from '../shared/lock.ts'
import { places } from '../shared/places.ts'
import { soon, TestEnvironment, versionId } from '../testing/environment.ts'
import { hello } from '../testing/sources.ts'
import { LocalCompute } from './compute-controller.ts'
import { defaultHostCommand } from './daemon.ts'
import { HostClient, type HostRequest } from './host-client.ts'

let environment: TestEnvironment
beforeEach(async () => {
  environment = await TestEnvironment.open()
})
afterEach(() => environment.close())

const client = () => new HostClient(places(environment.directory), environment.deployment.id, defaultHostCommand())
const refused = { code: 'E_PRECONDITION_FAILED' }

/** The controller of a runner that has lost its lease: between its look and its call another one does `meanwhile`. */
function lateCompute(meanwhile: () => Promise<unknown>) {
  const inner = client()
  let done = false
  const late = {
    find: inner.find.bind(inner),
    json: async (request: HostRequest) => {
      if (request.method !== 'GET' && !done) {
        done = true
        await meanwhile()
      }
      return inner.json(request)
    },
  }
  return new LocalCompute(
    () => late as unknown as HostClient,
    async () => {},
  )
}

describe('a call that comes late, from a runner that lost its lease,', () => {
  it('brings back no version that was removed, and moves neither shares nor triggers', {
    timeout: 120_000,
  }, async () => {
    const api = environment.worker(hello('one'))
    const { id: first } = await environment.serve(api, '1.0.0')
    const second = await environment.start(api, '1.1.0')
    await environment.until(api, ({ versions }) => versions[second]?.available === 1)
    const context = () => environment.context(api)
    const toSecond = () => environment.route(api, { [second]: 100 })

    await expect(lateCompute(toSecond).route(context(), { [first]: 50, [second]: 50 }, null)).rejects.toMatchObject(
      refused,
    )
    expect((await environment.observe(api)).weights).toEqual({ [second]: 100 })

    const moved = () => environment.moveTriggers(api, second)
    await expect(lateCompute(moved).moveTriggers(context(), null, null)).rejects.toMatchObject(refused)
    expect((await environment.observe(api)).triggers).toBe(second)

    const gone = () => environment.removeVersion(api, first)
    const release = { digest: versionId('1.0.0'), version: '1.0.0' }
    const version = { id: first, resource: api, release, config: environment.config }
    await expect(lateCompute(gone).ensureVersion(context(), version, 2, null)).rejects.toMatchObject(refused)
    expect(Object.keys((await environment.observe(api)).versions)).toEqual([second])
  })

  it('changes no resource, and takes no version away that serves again', { timeout: 120_000 }, async () => {
    await environment.ensure({ type: 'kv', name: 'index' })
    const path = '/v1/resources/index'
    const there = await client().json<{ revision: number; spec: object }>({ method: 'GET', path, signal: soon() })
    const put = { method: 'PUT', path, json: { spec: there?.spec }, signal: soon() } as const
    await client().json({ ...put, ifMatch: there?.revision ?? -1 })
    await expect(client().json({ ...put, ifMatch: there?.revision ?? -1 })).rejects.toMatchObject(refused)

    const api = environment.worker(hello('one'))
    const { id } = await environment.serve(api, '1.0.0')
    await expect(environment.removeVersion(api, id)).rejects.toMatchObject({ code: 'E_VERSION_SERVES' })
    expect((await environment.observe(api)).weights).toEqual({ [id]: 100 })
  })
})

it('the daemon itself refuses a change that was sent before the customer took the access away', async () => {
  const { access, socket } = places(environment.directory)
  await rm(access)
  const headers = { [ownerHeader]: environment.deployment.id, 'content-type': 'application/json' }
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const request = http.request({ socketPath: socket, method: 'PUT', path: '/v1/telemetry', headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    request.on('error', reject)
    request.end(JSON.stringify({ target: null }))
  })
  await writeFile(access, '')
  expect(status).toBe(403)
})

it('a lock is held by one', () => {
  const path = join(environment.directory, 'another.lock')
  const held = takeLock(path)
  expect(held).not.toBeNull()
  expect(takeLock(path)).toBeNull()
  held?.close()
  const next = takeLock(path)
  expect(next).not.toBeNull()
  next?.close()
})

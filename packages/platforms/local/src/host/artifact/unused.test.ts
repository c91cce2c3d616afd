import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultHostCommand } from '../../controllers/daemon.ts'
import { HostClient } from '../../controllers/host-client.ts'
import { places } from '../../shared/places.ts'
import { soon, TestEnvironment, versionId } from '../../testing/environment.ts'
import { hello } from '../../testing/sources.ts'

let environment: TestEnvironment
beforeEach(async () => {
  environment = await TestEnvironment.open()
})
afterEach(() => environment.close())

const kept = () => readdirSync(places(environment.directory).artifacts).length

test('code goes with the last version that names it, and comes back when it is asked for again', async () => {
  const one = environment.worker(hello('one'))
  const beside = environment.worker(hello('one'), { name: 'beside' })
  const two = environment.worker(hello('two'))
  const { id: first } = await environment.serve(one, '1.0.0')
  const { id: other } = await environment.serve(beside, '1.0.0')
  const { id: second } = await environment.serve(two, '1.1.0')
  expect(kept()).toBe(2)
  await environment.removeVersion(one, first)
  await environment.until(beside, ({ versions }) => versions[other]?.available === 1)
  expect(kept()).toBe(2)
  await environment.remove(beside)
  while (kept() > 1) await sleep(25)

  await environment.start(one, '1.2.0')
  expect((await environment.until(two, ({ versions }) => versions[second]?.available === 1)).url).not.toBe(null)
  expect(kept()).toBe(2)
}, 60_000)

test('a version whose code went meanwhile is refused so that it is tried again', async () => {
  const client = new HostClient(places(environment.directory), environment.deployment.id, defaultHostCommand())
  const id = versionId('1.0.0')
  const spec = { id, artifact: versionId('not here'), env: {} }
  const path = `/v1/workers/api/versions/${encodeURIComponent(id)}`
  const asked = client.json({ method: 'PUT', path, json: { spec, instances: 1 }, ifMatch: 0, signal: soon() })
  await expect(asked).rejects.toMatchObject({ code: 'E_NOT_FOUND', retryable: true })
})

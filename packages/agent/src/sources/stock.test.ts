import type { DeploymentRef, VerifiedRelease, Verifier } from '@landfall/engine'
import { type Digest, LandfallError, manifest, sha256 } from '@landfall/stack'
import { expect, it } from 'vitest'
import type { AgentBlobs } from './blobs.ts'
import { stocked } from './stock.ts'

const deployment = { id: 'd1' } as DeploymentRef
const digestOf = (text: string) => sha256(Buffer.from(text))

/** A release with a worker, whose content `code` names. */
function releaseOf(version: string, code: Digest): VerifiedRelease {
  const artifact = { digest: code, mediaType: 'application/vnd.oci.image.layer.v1.tar', size: 1 }
  const resources = [{ type: 'worker', name: 'api', lifecycle: 'live', code: { kind: 'artifact', ...artifact } }]
  const given = { schema: 'landfall.dev/manifest/v1', project: 'shop', platforms: ['local'], resources }
  return { digest: digestOf(version), version, sequence: 1, manifest: manifest.parse(given) }
}

/** A verifier to which every release is known, over content that comes when the test says so. */
function world(...versions: string[]) {
  const releases = versions.map((version) => releaseOf(version, digestOf(`code of ${version}`)))
  const here = new Set<Digest>()
  const loads: { digest: Digest; end: PromiseWithResolvers<void> }[] = []
  const blobs: Pick<AgentBlobs, 'has' | 'ensure'> = {
    has: async (digest) => here.has(digest),
    async ensure(digest) {
      const load = { digest, end: Promise.withResolvers<void>() }
      loads.push(load)
      await load.end.promise
      here.add(digest)
    },
  }
  const ready: string[] = []
  const verifier: Verifier = {
    load: async (digest) => releases.find((release) => release.digest === digest) ?? expect.fail('no such release'),
  }
  const stock = stocked(verifier, {
    blobs: blobs as AgentBlobs,
    accepted: () => false,
    onReady: (id) => ready.push(id),
  })
  /** What loading it answers: its version, or the code of the refusal. */
  const load = async (version: string) =>
    stock.load(digestOf(version), ['vendor'], deployment).then(
      (proved) => proved.version,
      (error: LandfallError) => error.code,
    )
  return { stock, load, loads, ready }
}

it('two that are missing are both fetched, one after the other, without being asked for again', async () => {
  const { stock, load, loads, ready } = world('1.0.0', '1.2.0')
  expect(stock.arriving?.()).toBeNull()
  expect([await load('1.0.0'), await load('1.2.0')]).toEqual(['E_RELEASE_LOADING', 'E_RELEASE_LOADING'])
  const codes = ['1.0.0', '1.2.0'].map((version) => digestOf(`code of ${version}`))
  for (const [index, version] of ['1.0.0', '1.2.0'].entries()) {
    expect(loads.map(({ digest }) => digest)).toEqual(codes.slice(0, index + 1))
    const arriving = stock.arriving?.()
    loads[index]?.end.resolve()
    await arriving
    expect(await load(version)).toBe(version)
    expect(ready).toHaveLength(index + 1)
  }
  await stock.settled()
  expect(stock.arriving?.()).toBeNull()
})

it('one that does not come wakes nobody and keeps no other from coming', async () => {
  const { stock, load, loads, ready } = world('1.0.0', '1.2.0')
  await load('1.0.0')
  let woken = 0
  void stock.arriving?.()?.then(() => {
    woken += 1
  })
  loads[0]?.end.reject(new LandfallError({ code: 'E_UNREACHABLE', message: 'Away', hint: 'None.', retryable: true }))
  await stock.settled()
  expect([woken, ready]).toEqual([0, []])
  await load('1.0.0')
  await load('1.2.0')
  loads[1]?.end.reject(new Error('away'))
  while (loads.length < 3) await new Promise((resolve) => setImmediate(resolve))
  loads[2]?.end.resolve()
  await stock.settled()
  expect([ready.length, await load('1.2.0'), await load('1.0.0')]).toEqual([1, '1.2.0', 'E_RELEASE_LOADING'])
})

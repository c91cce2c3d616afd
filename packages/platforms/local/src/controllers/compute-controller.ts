import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type {
  ComputeController,
  ComputeObservation,
  ComputeVersion,
  Data,
  StepContext,
  StepResult,
} from '@landfall/engine'
import { type ComputeResource, type Digest, LandfallError } from '@landfall/stack'
import type { WorkerView } from '../shared/control.ts'
import type { HostClient } from './host-client.ts'
import { versionSpec } from './version-spec.ts'

type Context = StepContext<ComputeResource>

/** Workers and containers on the host. Each call reads what is there, does at most one thing, and says what comes next. */
export class LocalCompute<R extends ComputeResource> implements ComputeController<R> {
  readonly routing = 'weighted'
  readonly #client: (context: Context) => HostClient

  readonly #beforeStart: (context: Context) => Promise<void>

  /** @param beforeStart brings settings that processes get when they start. */
  constructor(client: (context: Context) => HostClient, beforeStart: (context: Context) => Promise<void>) {
    this.#client = client
    this.#beforeStart = beforeStart
  }

  async ensureVersion(
    context: StepContext<R>,
    version: ComputeVersion<R>,
    instances: number,
    data: Data | null,
  ): Promise<StepResult> {
    const client = this.#client(context)
    const { signal } = context
    const spec = versionSpec(version)
    const worker = await this.#read(context)
    const there = worker?.versions[version.id]
    if (there && !there.retiring && there.instances === instances && isDeepStrictEqual(there.spec, plain(spec))) {
      return { kind: 'done', data: data ?? {} }
    }
    const path = `/v1/artifacts/${encodeURIComponent(spec.artifact)}`
    const artifact = await client.json<{ present: boolean }>({ method: 'GET', path, signal })
    if (!artifact?.present) {
      const bytes = checked(await context.blobs.read(spec.artifact), spec.artifact)
      await client.json({ method: 'PUT', path, bytes, signal })
      return { kind: 'continue', data: data ?? {}, did: `brought the code of ${version.release.version}` }
    }
    await this.#beforeStart(context)
    await client.json({
      method: 'PUT',
      path: `${workerPath(context)}/versions/${encodeURIComponent(version.id)}`,
      json: { spec, instances },
      // A call that comes late, from a runner that lost its lease, must not bring back what was removed.
      ifMatch: worker?.revision ?? 0,
      signal,
    })
    const did = there ? `scaled ${version.release.version} to ${instances}` : `started ${version.release.version}`
    return { kind: 'done', data: data ?? {}, did }
  }

  async route(
    context: StepContext<R>,
    shares: Readonly<Record<Digest, number>>,
    data: Data | null,
  ): Promise<StepResult> {
    const worker = await this.#read(context)
    const asked = Object.fromEntries(Object.entries(shares).filter(([, share]) => share > 0))
    if (worker && isDeepStrictEqual(worker.shares, asked)) return { kind: 'done', data: data ?? {} }
    const after = await this.#client(context).json<WorkerView>({
      method: 'PUT',
      path: `${workerPath(context)}/route`,
      json: { shares: asked },
      ifMatch: worker?.revision ?? 0,
      signal: context.signal,
    })
    if (!after || !isDeepStrictEqual(after.shares, asked)) throw notReadBack(context)
    return { kind: 'done', data: data ?? {}, did: `set shares ${JSON.stringify(Object.values(asked))}` }
  }

  async moveTriggers(context: StepContext<R>, version: Digest | null, data: Data | null): Promise<StepResult> {
    const worker = await this.#read(context)
    if ((worker?.triggers ?? null) === version) return { kind: 'done', data: data ?? {} }
    await this.#client(context).json({
      method: 'PUT',
      path: `${workerPath(context)}/triggers`,
      json: { version },
      ifMatch: worker?.revision ?? 0,
      signal: context.signal,
    })
    return { kind: 'done', data: data ?? {}, did: 'moved the triggers' }
  }

  async removeVersion(context: StepContext<R>, version: Digest, data: Data | null): Promise<StepResult> {
    const worker = await this.#read(context)
    const there = worker?.versions[version]
    if (!there) return { kind: 'done', data: data ?? {} }
    if (!there.retiring) {
      const path = `${workerPath(context)}/versions/${encodeURIComponent(version)}`
      await this.#client(context).json({ method: 'DELETE', path, ifMatch: worker.revision, signal: context.signal })
    }
    return waitForEnd(data, `${there.total} processes of ${there.spec.release} are finishing their work.`)
  }

  async remove(context: StepContext<R>, data: Data | null): Promise<StepResult> {
    if (!(await this.#read(context))) return { kind: 'done', data: data ?? {} }
    await this.#client(context).json({ method: 'DELETE', path: workerPath(context), signal: context.signal })
    return waitForEnd(data, `The processes of ${context.resource.name} are finishing their work.`)
  }

  async observe(context: StepContext<R>): Promise<ComputeObservation> {
    const worker = await this.#read(context)
    if (!worker) return { versions: {}, served: {}, weights: {}, triggers: null, url: null, drift: [] }
    const versions = Object.entries(worker.versions).map(([id, version]) => [
      id,
      {
        desired: version.instances,
        available: version.available,
        total: version.total,
        ...(version.failing && { failing: version.failing }),
        counters: { ...version.counters, restarts: version.restarts },
      },
    ])
    return {
      versions: Object.fromEntries(versions),
      served: worker.served,
      weights: worker.shares,
      triggers: worker.triggers,
      url: worker.url,
      drift: [],
    }
  }

  #read(context: Context): Promise<WorkerView | null> {
    return this.#client(context).find<WorkerView>({
      method: 'GET',
      path: workerPath(context),
      signal: context.signal,
    })
  }
}

function workerPath(context: Context): string {
  return `/v1/workers/${context.resource.name}`
}

function waitForEnd(data: Data | null, message: string): StepResult {
  return { kind: 'wait', data: data ?? {}, afterMs: 250, reason: { code: 'DRAINING', message } }
}

/** As it comes back over the wire. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

function checked(bytes: Uint8Array, digest: Digest): Uint8Array {
  const actual = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  if (actual === digest) return bytes
  throw new LandfallError({
    code: 'E_ARTIFACT_DIGEST',
    message: `The artifact's bytes have the digest ${actual}, not ${digest}.`,
    hint: 'The artifact was changed or cut on its way: bring it again from the release.',
  })
}

function notReadBack(context: Context): LandfallError {
  return new LandfallError({
    code: 'E_ROUTE_NOT_READ_BACK',
    message: `The shares of ${context.resource.name} read back differ from those that were set.`,
    hint: 'Somebody else sets them too; the loop tries again.',
    retryable: true,
  })
}

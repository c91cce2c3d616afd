import { isDeepStrictEqual } from 'node:util'
import type { Data, ResourceController, ResourceObservation, StepContext, StepResult } from '@landfall/engine'
import { LandfallError, type Resource } from '@landfall/stack'
import type { ResourceSpec, ResourceView } from '../shared/control.ts'
import type { HostClient } from './host-client.ts'

export interface ResourceKind<R extends Resource> {
  spec(context: StepContext<R>): ResourceSpec
  /** A secret's value, opened at the moment it is written; null asks the host to make one. */
  value?(context: StepContext<R>): Promise<string | null>
}

/** One resource that is not compute. What it holds belongs to the customer: only `remove` deletes it. */
export class LocalResource<R extends Resource> implements ResourceController<R> {
  readonly #client: (context: StepContext) => HostClient
  readonly #kind: ResourceKind<R>

  constructor(client: (context: StepContext) => HostClient, kind: ResourceKind<R>) {
    this.#client = client
    this.#kind = kind
  }

  async ensure(context: StepContext<R>, data: Data | null): Promise<StepResult> {
    const spec = this.#kind.spec(context)
    const there = await this.#read(context)
    if (!there || !isDeepStrictEqual(there.spec, spec) || there.status === 'missing') {
      if (there && there.spec.type !== spec.type) throw changedType(context, there.spec.type)
      const value = this.#kind.value && (await this.#kind.value(context))
      await this.#client(context).json({
        method: 'PUT',
        path: path(context),
        json: { spec, ...(value !== undefined && { value }) },
        ifMatch: there?.revision ?? 0,
        signal: context.signal,
      })
      return { kind: 'continue', data: data ?? {}, did: `${there ? 'updated' : 'created'} ${context.resource.name}` }
    }
    if (there.status !== 'ok') {
      const message = there.message ?? `${context.resource.name} is starting.`
      const code = there.status === 'starting' ? 'STARTING' : 'DEGRADED'
      return { kind: 'wait', data: data ?? {}, afterMs: 500, reason: { code, message } }
    }
    return { kind: 'done', data: data ?? {}, outputs: stable(there) }
  }

  async remove(context: StepContext<R>, data: Data | null): Promise<StepResult> {
    if (!(await this.#read(context))) return { kind: 'done', data: data ?? {} }
    await this.#client(context).json({ method: 'DELETE', path: path(context), signal: context.signal })
    return { kind: 'continue', data: data ?? {}, did: `deleted ${context.resource.name}` }
  }

  async observe(context: StepContext<R>): Promise<ResourceObservation> {
    let there: ResourceView | null
    try {
      there = await this.#read(context)
    } catch (error) {
      if (!LandfallError.is(error, 'E_FOREIGN')) throw error
      return { status: 'foreign', reason: { code: 'FOREIGN', message: error.message }, drift: [] }
    }
    if (!there) {
      const message = `${context.resource.name} does not exist.`
      return { status: 'missing', reason: { code: 'MISSING', message }, drift: [] }
    }
    const drift = isDeepStrictEqual(there.spec, this.#kind.spec(context)) ? [] : ['Its settings differ.']
    if (there.status === 'ok') return { status: 'ok', drift }
    const message = there.message ?? `${context.resource.name} is starting.`
    if (there.status === 'missing') return { status: 'missing', reason: { code: 'MISSING', message }, drift }
    const code = there.status === 'starting' ? 'STARTING' : 'DEGRADED'
    return { status: 'degraded', reason: { code, message }, drift }
  }

  #read(context: StepContext<R>): Promise<ResourceView | null> {
    return this.#client(context).find<ResourceView>({ method: 'GET', path: path(context), signal: context.signal })
  }
}

function path(context: StepContext): string {
  return `/v1/resources/${context.resource.name}`
}

/** Outputs that stay the same while the resource does: counts of messages are not among them. */
function stable(view: ResourceView): Data {
  return view.spec.type === 'queue' ? {} : view.outputs
}

function changedType(context: StepContext, before: string): LandfallError {
  return new LandfallError({
    code: 'E_RESOURCE_TYPE_CHANGED',
    message: `${context.resource.name} is a ${before} here, and the release makes it a ${context.resource.type}.`,
    hint: 'Give the new resource another name.',
    subject: `resource:${context.resource.name}`,
  })
}

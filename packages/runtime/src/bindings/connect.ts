import { type BindingEnvironment, bindingEnvironment, type Variables } from '../environment/environment.ts'
import { RuntimeError } from '../errors/runtime-error.ts'
import type { Binding } from '../protocol.ts'
import { BindingClient } from './binding-client.ts'
import { type Kv, kvOf } from './kv.ts'
import { type Queue, queueOf } from './queue.ts'
import { type Secret, secretOf } from './secret.ts'
import { type Storage, storageOf } from './storage.ts'
import { type Worker, workerOf } from './worker.ts'

/** All bindings of one environment. Each function throws `E_NOT_BOUND` for what the worker does not use. */
export interface Bindings {
  storage(name: string): Storage
  kv(name: string): Kv
  queue(name: string): Queue
  secret(name: string): Secret
  worker(name: string): Worker
  /** A connection string for a PostgreSQL client. */
  postgresUrl(name: string): string
}

/** Grant that gives a binding, as it is written in `uses`. */
const grants = {
  storage: 'NAME.read()` or `NAME.readWrite()',
  kv: 'NAME.read()` or `NAME.readWrite()',
  queue: 'NAME.send()',
  secret: 'NAME.read()',
  worker: 'NAME.invoke()',
  postgres: 'NAME.connect()',
} as const satisfies Record<Binding['type'], string>

/** The environment is read at the first use, so that code can be imported where there is no platform. */
export function connect(variables: Variables): Bindings {
  let environment: BindingEnvironment | undefined
  // One object per resource, because a secret keeps its value for a while.
  const kept = new Map<string, Storage | Kv | Queue | Secret | Worker>()

  const find = <T extends Binding['type']>(type: T, name: string): Binding & { type: T } => {
    environment ??= bindingEnvironment(variables)
    const binding = Object.hasOwn(environment.bindings, name) ? environment.bindings[name] : undefined
    if (binding && isOfType(binding, type)) return binding
    throw notBound(type, name, binding)
  }
  const client = (type: Exclude<Binding['type'], 'postgres' | 'worker'>, name: string) =>
    new BindingClient(`The ${type} "${name}"`, find(type, name).url, environment?.token ?? '')
  const once = <T extends Storage | Kv | Queue | Secret | Worker>(key: string, make: () => T): T => {
    const known = kept.get(key)
    if (known) return known as T
    const made = make()
    kept.set(key, made)
    return made
  }

  return {
    storage: (name) => once(`storage ${name}`, () => storageOf(client('storage', name))),
    kv: (name) => once(`kv ${name}`, () => kvOf(client('kv', name))),
    queue: (name) => once(`queue ${name}`, () => queueOf(client('queue', name))),
    secret: (name) => once(`secret ${name}`, () => secretOf(client('secret', name))),
    worker: (name) =>
      once(`worker ${name}`, () => {
        const { url } = find('worker', name)
        return workerOf(`The worker "${name}"`, url, environment?.token ?? '')
      }),
    postgresUrl: (name) => find('postgres', name).url,
  }
}

const isOfType = <T extends Binding['type']>(binding: Binding, type: T): binding is Binding & { type: T } =>
  binding.type === type && binding.driver === (type === 'postgres' ? 'url' : 'http')

function notBound(type: Binding['type'], name: string, other: Binding | undefined): RuntimeError {
  const what = other ? `is a ${other.type}, not a ${type}` : `is not bound to this worker`
  const grant = grants[type].replaceAll('NAME', name)
  return new RuntimeError({
    code: 'E_NOT_BOUND',
    message: `The ${type} "${name}" ${what}.`,
    hint: `Define ${name} as ${type} in landfall.config.ts, and add \`${grant}\` to the worker's \`uses\`.`,
  })
}

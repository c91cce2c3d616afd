import { z } from 'zod'
import { digest, duration, environmentName, lifecycles, resourceName } from './names.ts'
import { rolloutPlan } from './rollout-plan.ts'

/** What a worker may do with a resource. Permissions on every platform are derived from these. */
export const accessKinds = {
  storage: ['read', 'write'],
  kv: ['read', 'write'],
  queue: ['send', 'receive'],
  secret: ['read'],
  postgres: ['connect'],
  worker: ['invoke'],
  container: ['invoke'],
} as const

export const grant = z.strictObject({
  resource: resourceName,
  access: z.array(z.enum(['read', 'write', 'send', 'receive', 'connect', 'invoke'])).min(1),
})
export type Grant = z.infer<typeof grant>

export const trigger = z.discriminatedUnion('kind', [
  /** Five-field cron in UTC. */
  z.strictObject({ kind: z.literal('cron'), schedule: z.string() }),
  z.strictObject({
    kind: z.literal('queue'),
    queue: resourceName,
    concurrency: z.number().int().min(1).max(1000).default(1),
  }),
  z.strictObject({
    kind: z.literal('storage'),
    storage: resourceName,
    events: z.array(z.enum(['created', 'deleted'])).min(1),
    prefix: z.string().default(''),
  }),
])
export type Trigger = z.infer<typeof trigger>

/** JSON Schema (2020-12) of a command's input; checked by the manager before it sends and by the runtime before it calls. */
export const jsonSchema = z.record(z.string(), z.unknown())

export const commandDefinition = z.strictObject({
  description: z.string().optional(),
  input: jsonSchema,
  output: jsonSchema.optional(),
  deadline: duration.default('60s'),
})
export type CommandDefinition = z.infer<typeof commandDefinition>

/** A value of the environment: a literal, an input of the deployment, or a secret's name. */
export const environmentValue = z.union([
  z.string(),
  z.strictObject({ input: z.string() }),
  z.strictObject({ secret: resourceName }),
])
export type EnvironmentValue = z.infer<typeof environmentValue>

/** Where the code is. `source` and `build` exist only before a build; a released manifest holds `artifact` or `image`. */
export const code = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('source'), entry: z.string() }),
  z.strictObject({ kind: z.literal('artifact'), digest, mediaType: z.string(), size: z.number().int().nonnegative() }),
  z.strictObject({ kind: z.literal('image'), reference: z.string() }),
])
export type Code = z.infer<typeof code>

const base = {
  name: resourceName,
  lifecycle: z.enum(lifecycles),
  description: z.string().optional(),
}

export const health = z.strictObject({
  path: z.string().startsWith('/').default('/healthz'),
  interval: duration.default('1s'),
  timeout: duration.default('2s'),
  /** Consecutive failures until an instance counts as unhealthy. */
  failures: z.number().int().min(1).default(3),
  /** How long an instance may take until its first success. */
  startup: duration.default('30s'),
})

const compute = {
  ...base,
  code,
  public: z.boolean().default(false),
  uses: z.array(grant).default([]),
  env: z.record(environmentName, environmentValue).default({}),
  health: health.prefault({}),
  rollout: rolloutPlan.optional(),
  /** Instances at 100% share. */
  scale: z.number().int().min(1).max(1000).default(1),
  memoryMb: z.number().int().min(64).max(32_768).default(512),
  /** How long an instance may take to end after SIGTERM. */
  gracePeriod: duration.default('10s'),
  commands: z.record(resourceName, commandDefinition).default({}),
}

export const workerResource = z.strictObject({
  type: z.literal('worker'),
  ...compute,
  triggers: z.array(trigger).default([]),
  /** Longest time of one request or event. */
  timeout: duration.default('30s'),
})
export const containerResource = z.strictObject({
  type: z.literal('container'),
  ...compute,
  port: z.number().int().min(1).max(65_535),
})
export const storageResource = z.strictObject({ type: z.literal('storage'), ...base })
export const kvResource = z.strictObject({ type: z.literal('kv'), ...base })
export const queueResource = z.strictObject({
  type: z.literal('queue'),
  ...base,
  visibilityTimeout: duration.default('30s'),
  /** Deliveries until a message goes to the dead letters. */
  maxDeliveries: z.number().int().min(1).max(1000).default(5),
})
export const secretResource = z.strictObject({
  type: z.literal('secret'),
  ...base,
  providedBy: z.enum(['vendor', 'customer', 'generated']),
})
export const postgresResource = z.strictObject({ type: z.literal('postgres'), ...base, version: z.string().optional() })
export const manifestsResource = z.strictObject({
  type: z.literal('manifests'),
  ...base,
  source: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('yaml'), paths: z.array(z.string()).min(1) }),
    z.strictObject({ kind: z.literal('kustomize'), path: z.string() }),
    z.strictObject({
      kind: z.literal('helm'),
      chart: z.string(),
      values: z.record(z.string(), z.unknown()).default({}),
    }),
  ]),
})

export const resource = z.discriminatedUnion('type', [
  workerResource,
  containerResource,
  storageResource,
  kvResource,
  queueResource,
  secretResource,
  postgresResource,
  manifestsResource,
])
export type Resource = z.infer<typeof resource>
export type WorkerResource = z.infer<typeof workerResource>
export type ContainerResource = z.infer<typeof containerResource>
export type ComputeResource = WorkerResource | ContainerResource
export type StorageResource = z.infer<typeof storageResource>
export type KvResource = z.infer<typeof kvResource>
export type QueueResource = z.infer<typeof queueResource>
export type SecretResource = z.infer<typeof secretResource>
export type PostgresResource = z.infer<typeof postgresResource>
export type ManifestsResource = z.infer<typeof manifestsResource>

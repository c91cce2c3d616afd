import type { z } from 'zod'
import type { EnvironmentValue, health as healthSchema } from '../manifest/resources.ts'
import type { RolloutPlanInput } from '../manifest/rollout-plan.ts'
import type { Access } from './access.ts'
import type { Command } from './command.ts'
import type { BaseOptions, CompileContext, Definition, Duration } from './definition.ts'
import type { AnyInput } from './input.ts'
import type { SecretDefinition } from './secret.ts'

/** Where the code is: TypeScript or JavaScript that Landfall bundles, or an image in any language. */
export type CodeOptions = { source: string; image?: never } | { image: string; source?: never }

/** A variable: its text, an input of the deployment, or a secret. */
export type EnvironmentInput = string | AnyInput | SecretDefinition | { input: string }

export interface ComputeOptions extends BaseOptions {
  /** Whether it has an address that the public reaches. */
  public?: boolean
  /** What it may do with other resources. Permissions on every platform are derived from this. */
  uses?: readonly Access[]
  env?: Readonly<Record<string, EnvironmentInput>>
  /** Secrets that the code may read. */
  secrets?: readonly SecretDefinition[]
  health?: HealthOptions
  /** How a new version takes over. Left out: the project's default. */
  rollout?: RolloutPlanInput
  /** Instances at full share. Default 1. */
  scale?: number
  memoryMb?: number
  /** How long an instance may take to end after SIGTERM. Default 10 s. */
  gracePeriod?: Duration
  commands?: Readonly<Record<string, Command>>
}

export type HealthOptions = z.input<typeof healthSchema>

/** The part of a worker and of a container that is the same. */
export function compileCompute(
  type: 'worker' | 'container',
  name: string,
  options: ComputeOptions & CodeOptions,
  context: CompileContext,
): Record<string, unknown> {
  const { source, image, uses = [], env = {}, secrets = [], ...rest } = options
  const grants = new Map<string, Set<string>>()
  for (const { resource, access } of [...uses, ...secrets.map((one) => one.read())]) {
    const kinds = grants.get(resource) ?? new Set()
    for (const kind of access) kinds.add(kind)
    grants.set(resource, kinds)
  }
  return {
    lifecycle: 'live',
    ...rest,
    type,
    name,
    code: image === undefined ? { kind: 'source', entry: source } : { kind: 'image', reference: image },
    uses: [...grants]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([resource, kinds]) => ({ resource, access: [...kinds].sort() })),
    env: Object.fromEntries(Object.entries(env).map(([key, value]) => [key, compileEnvironment(value, context)])),
  }
}

/** Secrets that `secrets` and `env` mention. */
export function mentionedSecrets(options: ComputeOptions): Definition<'secret'>[] {
  const inEnvironment = Object.values(options.env ?? {}).filter(
    (value): value is SecretDefinition => typeof value === 'object' && 'type' in value,
  )
  return [...(options.secrets ?? []), ...inEnvironment]
}

function compileEnvironment(value: EnvironmentInput, context: CompileContext): EnvironmentValue {
  if (typeof value !== 'object') return value
  if ('input' in value) return value
  if ('type' in value) return { secret: value.name }
  return { input: context.inputName(value) ?? unlistedInput }
}

/** Stands for an input that the stack does not list; the checks turn it into a problem. */
export const unlistedInput = '(not in inputs)'

import type { Platform, StepContext } from '@landfall/engine'
import { durationMs, LandfallError, type SecretResource } from '@landfall/stack'
import type { HostClient } from './host-client.ts'
import { LocalResource } from './resource-controller.ts'

/** Controllers of everything that local offers beside workers. */
export function resourceControllers(client: (context: StepContext) => HostClient): Platform['resources'] {
  return {
    storage: new LocalResource(client, { spec: () => ({ type: 'storage' }) }),
    kv: new LocalResource(client, { spec: () => ({ type: 'kv' }) }),
    queue: new LocalResource(client, {
      spec: ({ resource }) => ({
        type: 'queue',
        visibilityTimeoutMs: durationMs(resource.visibilityTimeout),
        maxDeliveries: resource.maxDeliveries,
      }),
    }),
    secret: new LocalResource(client, {
      spec: (context) => ({ type: 'secret', version: context.config.secrets[context.resource.name]?.version ?? 1 }),
      value: secretValue,
    }),
    postgres: new LocalResource(client, { spec: () => ({ type: 'postgres' }) }),
  }
}

async function secretValue({ config, resource }: StepContext<SecretResource>): Promise<string | null> {
  if (config.secrets[resource.name]) return config.openSecret(resource.name)
  if (resource.providedBy === 'generated') return null
  throw new LandfallError({
    code: 'E_SECRET_MISSING',
    message: `The secret ${resource.name} has no value.`,
    hint: `The ${resource.providedBy} sets it for this deployment.`,
    subject: `resource:${resource.name}`,
  })
}

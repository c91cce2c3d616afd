import type { ComputeVersion } from '@landfall/engine'
import { durationMs, LandfallError } from '@landfall/stack'
import type { VersionSpec } from '../shared/control.ts'

/** A worker's version as the host runs it. Throws for what this platform can't run, and for a missing input. */
export function versionSpec({ id, resource, release, config }: ComputeVersion): VersionSpec {
  if (resource.code.kind !== 'artifact') {
    throw new LandfallError({
      code: 'E_CODE_UNSUPPORTED',
      message: `The local platform can't run ${resource.name} from ${resource.code.kind === 'image' ? 'an image' : 'source that was not built'}.`,
      hint: 'Give the worker a `source` and release it; images need a platform with a container runtime.',
      subject: `resource:${resource.name}`,
    })
  }
  const env: Record<string, string | { secret: string }> = {}
  const secrets: Record<string, number> = {}
  const pin = (name: string) => {
    // A generated secret is the host's own and has one version.
    secrets[name] = config.secrets[name]?.version ?? 1
  }
  for (const [name, value] of Object.entries(resource.env)) {
    if (typeof value === 'string') env[name] = value
    else if ('secret' in value) {
      env[name] = { secret: value.secret }
      pin(value.secret)
    } else {
      const input = config.inputs[value.input]
      // An optional input that was not given leaves the variable unset.
      if (input !== undefined) env[name] = String(input)
    }
  }
  for (const { resource: used, access } of resource.uses)
    if (access.includes('read')) if (config.secrets[used]) pin(used)
  return {
    id,
    release: release.version,
    artifact: resource.code.digest,
    public: resource.public,
    uses: resource.uses,
    triggers: resource.type === 'worker' ? resource.triggers : [],
    env,
    secrets,
    health: {
      path: resource.health.path,
      intervalMs: durationMs(resource.health.interval),
      timeoutMs: durationMs(resource.health.timeout),
      failures: resource.health.failures,
      startupMs: durationMs(resource.health.startup),
    },
    gracePeriodMs: durationMs(resource.gracePeriod),
    timeoutMs: resource.type === 'worker' ? durationMs(resource.timeout) : 60_000,
    memoryMb: resource.memoryMb,
  }
}

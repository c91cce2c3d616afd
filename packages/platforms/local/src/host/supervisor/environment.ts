import { delimiter, dirname } from 'node:path'
import type { Binding, WorkerEnvironment } from '@landfall/runtime'
import type { TelemetryTarget, VersionSpec } from '../../shared/control.ts'
import { markerVariable } from '../../shared/places.ts'

export interface EnvironmentInput {
  spec: VersionSpec
  worker: string
  deployment: string
  marker: string
  instance: string
  port: number
  token: string
  directory: string
  bindings: Readonly<Record<string, Binding>>
  telemetry: TelemetryTarget | null
  openSecret(name: string): string
}

/** Variables that load code into a process, or name libraries to it: never taken from a release or an input. */
const refused = /^(NODE_OPTIONS|NODE_PATH|NODE_REPL_EXTERNAL_MODULE|LD_.*|DYLD_.*|BASH_ENV|ENV)$/

export function refusedVariable(name: string): boolean {
  return refused.test(name)
}

/** The whole environment of a worker's process, built from nothing: what the host itself was given stays with it. */
export function workerEnvironment(input: EnvironmentInput): Record<string, string> {
  const { spec, telemetry } = input
  const own: Record<string, string> = {}
  for (const [name, value] of Object.entries(spec.env)) {
    if (refusedVariable(name)) continue
    own[name] = typeof value === 'string' ? value : input.openSecret(value.secret)
  }
  const landfall: WorkerEnvironment = {
    PORT: String(input.port),
    LANDFALL_HOST: '127.0.0.1',
    LANDFALL_DEPLOYMENT: input.deployment,
    LANDFALL_WORKER: input.worker,
    LANDFALL_VERSION: spec.release,
    LANDFALL_VERSION_ID: spec.id,
    LANDFALL_BINDINGS: JSON.stringify(input.bindings),
    LANDFALL_TOKEN: input.token,
    LANDFALL_TIMEOUT_MS: String(spec.timeoutMs),
    LANDFALL_GRACE_MS: String(spec.gracePeriodMs),
    LANDFALL_HEALTH_PATH: spec.health.path,
    LANDFALL_LOGS: 'stdout',
    ...(telemetry && {
      OTEL_EXPORTER_OTLP_ENDPOINT: telemetry.endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: list(telemetry.headers),
      OTEL_RESOURCE_ATTRIBUTES: list({
        'service.name': input.worker,
        'service.version': spec.release,
        'service.instance.id': input.instance,
        'landfall.deployment': input.deployment,
        'landfall.version.id': spec.id,
      }),
    }),
  }
  return {
    PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
    HOME: input.directory,
    TZ: 'UTC',
    LANG: 'C.UTF-8',
    NODE_ENV: 'production',
    ...own,
    ...(landfall as unknown as Record<string, string>),
    [markerVariable]: input.marker,
  }
}

/** `key=value,…`, percent-encoded, as OpenTelemetry writes lists in variables. */
function list(entries: Readonly<Record<string, string>>): string {
  return Object.entries(entries)
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
    .join(',')
}

import type { Clock, DeploymentRef, Platform } from '@landfall/engine'
import type { HostStatus, TelemetryTarget } from '../shared/control.ts'
import { closeArea, openArea, placesOf } from './area.ts'
import { LocalCompute } from './compute-controller.ts'
import { checkAccess, defaultHostCommand, type HostCommand } from './daemon.ts'
import { HostClient } from './host-client.ts'

export interface LocalPlatformOptions {
  clock: Clock
  /** Where workers of a deployment send OTLP; null: nowhere. */
  telemetry?: (deployment: DeploymentRef) => TelemetryTarget | null
  /** How the host daemon is started; `--directory DIR` is added. Default: this package's `src/host/main.ts`. */
  hostCommand?: HostCommand
}

export type LocalPlatform = Platform

/** The local platform: each environment is a directory with a host daemon of its own, which this side only asks. */
export function createLocalPlatform(options: LocalPlatformOptions): LocalPlatform {
  const command = options.hostCommand ?? defaultHostCommand()
  const clientOf = (deployment: DeploymentRef) => new HostClient(placesOf(deployment), deployment.id, command)
  const ofContext = ({ deployment }: { deployment: DeploymentRef }) => clientOf(deployment)
  return {
    name: 'local',
    resources: {},
    compute: { worker: new LocalCompute(ofContext), container: new LocalCompute(ofContext) },
    invoker: { invoke: async () => ({ ok: false, error: { code: 'E', message: '' } }) },
    async probe(deployment, signal) {
      const client = clientOf(deployment)
      await checkAccess(client.places)
      await client.json<HostStatus>({ method: 'GET', path: '/v1/status', signal })
    },
    async openArea(deployment, signal) {
      const client = clientOf(deployment)
      await openArea(client, deployment, signal)
      const target = options.telemetry?.(deployment) ?? null
      await client.json({ method: 'PUT', path: '/v1/telemetry', json: { target }, signal })
    },
    closeArea: (deployment, signal) => closeArea(clientOf(deployment), signal),
  }
}

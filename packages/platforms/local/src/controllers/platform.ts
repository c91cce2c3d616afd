import type { DeploymentRef, Platform, StepContext } from '@landfall/engine'
import type { DeadLetter, HostStatus, LogLine, TelemetryTarget } from '../shared/control.ts'
import { closeArea, openArea, placesOf } from './area.ts'
import { LocalCompute } from './compute-controller.ts'
import { checkAccess, defaultHostCommand, type HostCommand } from './daemon.ts'
import { HostClient } from './host-client.ts'
import { resourceControllers } from './resource-kinds.ts'
import { createInvoker, readLogs } from './streams.ts'

export interface LocalPlatformOptions {
  /** Where workers of a deployment send OTLP; null: nowhere. */
  telemetry?: (deployment: DeploymentRef) => TelemetryTarget | null
  /** How the host daemon is started; `--directory DIR` is added. Default: this package's `src/host/main.ts`. */
  hostCommand?: HostCommand
}

export interface LocalPlatform extends Platform {
  /** Output of a worker's processes, oldest first, from `since` (milliseconds since the epoch) on. */
  readLogs(
    deployment: DeploymentRef,
    options: { worker: string; since?: number; follow?: boolean; signal: AbortSignal },
  ): AsyncIterable<LogLine>
  /** The newest messages of a queue that were given up, at most 100. */
  deadLetters(deployment: DeploymentRef, queue: string, signal: AbortSignal): Promise<readonly DeadLetter[]>
}

/**
 * The local platform: each environment is a directory with a host daemon of its own, which this side only asks. It decides
 * nothing by the time: what it waits for is the daemon, another process, so it waits in the machine's own time.
 */
export function createLocalPlatform(options: LocalPlatformOptions = {}): LocalPlatform {
  const command = options.hostCommand ?? defaultHostCommand()
  const clientOf = (deployment: DeploymentRef) => new HostClient(placesOf(deployment), deployment.id, command)
  const sendTelemetry = async (deployment: DeploymentRef, signal: AbortSignal) => {
    const target = options.telemetry?.(deployment) ?? null
    await clientOf(deployment).json({ method: 'PUT', path: '/v1/telemetry', json: { target }, signal })
  }
  const beforeStart = ({ deployment, signal }: StepContext) => sendTelemetry(deployment, signal)
  const ofContext = ({ deployment }: { deployment: DeploymentRef }) => clientOf(deployment)
  return {
    name: 'local',
    resources: resourceControllers(ofContext),
    compute: { worker: new LocalCompute(ofContext, beforeStart), container: new LocalCompute(ofContext, beforeStart) },
    invoker: createInvoker(clientOf),
    readLogs: (deployment, options) => readLogs(clientOf(deployment), options),
    async deadLetters(deployment, queue, signal) {
      const path = `/v1/resources/${queue}/dead-letters`
      return (await clientOf(deployment).json<DeadLetter[]>({ method: 'GET', path, signal })) ?? []
    },
    async probe(deployment, signal) {
      const client = clientOf(deployment)
      await checkAccess(client.places)
      await client.json<HostStatus>({ method: 'GET', path: '/v1/status', signal })
    },
    async openArea(deployment, signal) {
      await openArea(clientOf(deployment), deployment, signal)
      await sendTelemetry(deployment, signal)
    },
    closeArea: (deployment, signal) => closeArea(clientOf(deployment), signal),
  }
}

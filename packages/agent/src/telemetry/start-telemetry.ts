import type { DeploymentRef } from '@landfall/engine'
import type { TelemetryTarget } from '@landfall/platform-local'
import type { TelemetryPolicy } from '@landfall/telemetry'
import type { AgentParts } from '../parts.ts'
import { Forwarder, type ForwarderCounters } from './forwarder.ts'
import { createIntake, type IntakeCounters } from './intake.ts'
import { startIntakeServer } from './intake-server.ts'
import { ownEndpoint } from './own-endpoint.ts'
import { intakePlace } from './place.ts'
import { sweep } from './sweep.ts'
import type { Uplink } from './uplink.ts'

export type TelemetryParts = Pick<AgentParts, 'state' | 'spool' | 'settings' | 'setup' | 'clock' | 'random' | 'log'>

export interface AgentTelemetry {
  /** Where workers of the deployment send OTLP; null for another deployment. */
  target(deployment: Pick<DeploymentRef, 'id'>): TelemetryTarget | null
  /** The customer's setting may have changed: what it does not let leave any more is taken out of the spool. */
  settle(): Promise<void>
  stats(): IntakeCounters & Partial<ForwarderCounters>
  stop(): Promise<void>
}

const swept = 'telemetry/policy'
/** A lower one lets less leave. */
const rank: Record<TelemetryPolicy, number> = { off: 0, 'errors-only': 1, on: 2 }

/**
 * The agent's telemetry: takes what the workers send, keeps what the customer lets leave, carries it to the manager.
 *
 * @param uplink the way to the manager; null without network: exports hand over what is in the spool
 * @param env see `ownEndpoint`
 */
export async function startTelemetry(
  parts: TelemetryParts,
  uplink: Uplink | null,
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<AgentTelemetry> {
  const { state, spool, settings, clock, random, log } = parts
  const { id, name, project } = parts.setup.deployment
  const policy = (): TelemetryPolicy => settings.inForce().telemetry
  const own = ownEndpoint(env, { clock, random, log })
  const sweptFor = () => (state.get(swept) as TelemetryPolicy | undefined) ?? 'on'
  let settling: Promise<void> = Promise.resolve()
  const settle = async () => {
    const [now, before] = [policy(), sweptFor()]
    if (now === before) return
    if (rank[now] < rank[before]) {
      const changed = await sweep(spool, now)
      if (changed > 0)
        log.info('Telemetry that may not leave any more was taken out of the spool', { payloads: changed })
    }
    // Last: killed before, it is done again.
    state.put(swept, now)
  }
  const settled = () => {
    settling = settling.then(settle, settle)
    return settling
  }
  const isSettled = () => rank[policy()] >= rank[sweptFor()]
  const forwarder = uplink && new Forwarder({ spool, uplink, clock, random, log, settle: settled, isSettled })
  const intake = createIntake({
    policy,
    identity: { 'landfall.project': project, 'landfall.deployment.id': id, 'landfall.deployment.name': name },
    spool,
    own: (payload) => own?.send(payload),
    wake: () => forwarder?.wake(),
  })
  // Before anything is sent: the setting may have changed as the agent was stopped.
  await settled()
  const { place, listening } = intakePlace(state)
  const server = await startIntakeServer({ intake, token: place.token, port: place.port, log })
  listening(server.port)
  if (place.port !== 0 && place.port !== server.port) {
    log.warn('The port that workers send telemetry to is taken; those that run send none until they are started anew', {
      port: place.port,
    })
  }
  forwarder?.start()
  return {
    target: (deployment) =>
      deployment.id === id
        ? { endpoint: `http://127.0.0.1:${server.port}`, headers: { authorization: `Bearer ${place.token}` } }
        : null,
    settle: settled,
    stats: () => ({ ...intake.counters, ...forwarder?.counters }),
    async stop() {
      await server.close()
      await Promise.allSettled([settling, forwarder?.stop(), own?.close()])
    },
  }
}

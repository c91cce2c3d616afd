import type { HostStatus, TelemetryTarget } from '../../shared/control.ts'
import { type Route, readJson } from './server.ts'

export const areaRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: /^\/v1\/status$/,
    handle: ({ host }): HostStatus => ({
      deployment: host.deployment,
      pid: process.pid,
      since: host.since,
      closing: host.closing,
    }),
  },
  {
    method: 'PUT',
    path: /^\/v1\/area$/,
    handle: async ({ host, request }) => {
      const { deployment } = await readJson<{ deployment: string }>(request)
      if (host.store.meta('deployment') === null) host.store.setMeta('deployment', deployment)
      return {}
    },
  },
  {
    method: 'PUT',
    path: /^\/v1\/telemetry$/,
    handle: async ({ host, request }) => {
      const { target } = await readJson<{ target: TelemetryTarget | null }>(request)
      const text = target && JSON.stringify(target)
      const before = host.telemetry()
      if (text !== (before && JSON.stringify(before))) {
        const sealed = text && Buffer.from(host.sealer.seal(text, 'telemetry')).toString('base64')
        host.store.setMeta('telemetry', sealed)
      }
      return {}
    },
  },
  {
    method: 'DELETE',
    path: /^\/v1\/area$/,
    handle: async ({ host }) => {
      host.store.setMeta('closing', 'yes')
      await host.close()
      return {}
    },
  },
]

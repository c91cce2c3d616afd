import type { Clock, MetricSource } from '@landfall/engine'
import { type Counters, latencyBoundsMs } from '@landfall/rollout'
import type { Database } from '../store/database.ts'
import { rebucket } from './histogram.ts'
import { increments } from './increments.ts'
import { type RequestStream, readPoints } from './read-points.ts'

/**
 * The telemetry store as evidence. Only what a router measured counts: a worker's own numbers know nothing of the requests that
 * it crashed on, and hold its health checks. Where no router reports here, the answer is null and the platform's own counters
 * decide.
 */
export function createMetricSource(deps: { db: Database; clock: Clock }): MetricSource {
  return {
    async read({ deployment, worker, version, since }) {
      const until = deps.clock.now()
      const streams = await readPoints(deps.db, {
        deployment,
        worker,
        versionId: version,
        source: 'router',
        since,
        until,
      })
      return streams.length === 0 ? null : countersOf(streams, since)
    },
  }
}

/** What the streams grew by since an instant. */
export function countersOf(streams: readonly RequestStream[], since: number): Counters {
  const counters = { requests: 0, errors: 0, restarts: 0, through: 0 }
  const latency = new Array<number>(latencyBoundsMs.length + 1).fill(0)
  for (const stream of streams) {
    for (const grown of increments(stream.points, since)) {
      counters.requests += grown.count
      if (stream.error) counters.errors += grown.count
      const buckets = rebucket(stream.boundsMs, grown.buckets, latencyBoundsMs)
      buckets.forEach((value, index) => {
        latency[index] = (latency[index] ?? 0) + value
      })
    }
    counters.through = Math.max(counters.through, stream.points.at(-1)?.at ?? 0)
  }
  return { ...counters, latency }
}

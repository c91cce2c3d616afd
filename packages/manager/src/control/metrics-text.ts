import type { Forwarding } from '../telemetry/forward/forwarding.ts'
import type { Intake } from '../telemetry/intake.ts'
import type { LoopHealth } from './loop.ts'
import type { RunCounts } from './push-runner.ts'

interface Sample {
  labels?: Record<string, string>
  value: number
}

/** Metrics in Prometheus' text format 0.0.4. */
export function controlMetrics(from: {
  loops: readonly LoopHealth[]
  runs: RunCounts
  running: { deployments: number; commands: number }
  telemetry: Intake
  forwarding: Forwarding
  feedReaders: number
}): string {
  const { loops, runs, running, telemetry, forwarding } = from
  const { requests, stored, rejected, refused, dropped } = telemetry.counters
  const sent = forwarding.counters()
  return [
    family(
      'landfall_loop_runs_total',
      'counter',
      'Runs of each loop.',
      by('loop', loops, (each) => each.runs),
    ),
    family(
      'landfall_loop_failures_total',
      'counter',
      'Failed runs of each loop.',
      by('loop', loops, (each) => each.failures),
    ),
    family('landfall_engine_runs_total', 'counter', 'Runs of the engine by how they ended.', record('ended', runs)),
    family('landfall_running', 'gauge', 'What is worked on now.', record('kind', running)),
    family('landfall_change_feed_readers', 'gauge', 'Open event streams.', [{ value: from.feedReaders }]),
    family('landfall_telemetry_requests_total', 'counter', 'OTLP requests by signal.', record('signal', requests)),
    family('landfall_telemetry_stored_total', 'counter', 'Records stored.', record('kind', stored)),
    family('landfall_telemetry_rejected_total', 'counter', 'Records that were too old.', [{ value: rejected }]),
    family('landfall_telemetry_refused_total', 'counter', 'OTLP requests that were refused.', [{ value: refused }]),
    family(
      'landfall_telemetry_dropped_requests_total',
      'counter',
      'OTLP requests of which the customer lets nothing leave, by policy.',
      record('policy', dropped.requests),
    ),
    family('landfall_telemetry_dropped_lines_total', 'counter', 'Log lines below error, where only errors may leave.', [
      { value: dropped.lines },
    ]),
    family(
      'landfall_telemetry_beyond_total',
      'counter',
      'Records that were not stored since they are beyond a bound, by reason.',
      record('reason', telemetry.counters.beyond),
    ),
    family('landfall_telemetry_waiting', 'gauge', 'Records that wait to be stored.', [{ value: telemetry.waiting }]),
    family('landfall_forward_sent_total', 'counter', 'Requests sent on.', [{ value: sent.sent }]),
    family('landfall_forward_retried_total', 'counter', 'Attempts that were repeated.', [{ value: sent.retried }]),
    family('landfall_forward_dropped_total', 'counter', 'Requests that were not sent on.', record('why', sent.dropped)),
    family('landfall_forward_waiting', 'gauge', 'Requests that wait to be sent on.', [{ value: sent.held }]),
  ].join('')
}

function family(name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]): string {
  const lines = samples.map(({ labels, value }) => {
    const text = Object.entries(labels ?? {}).map(([key, label]) => `${key}="${label}"`)
    return `${name}${text.length > 0 ? `{${text.join(',')}}` : ''} ${value}`
  })
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`
}

const record = (label: string, values: Readonly<Record<string, number>>): Sample[] =>
  Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }))

const by = (label: string, loops: readonly LoopHealth[], value: (loop: LoopHealth) => number): Sample[] =>
  loops.map((loop) => ({ labels: { [label]: loop.name }, value: value(loop) }))

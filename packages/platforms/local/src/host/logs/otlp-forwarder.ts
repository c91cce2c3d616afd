import { anyValue, attributes } from '@landfall/runtime/otlp'
import type { LogLine, TelemetryTarget } from '../../shared/control.ts'
import { structuredLine } from './structured-line.ts'

const maxSpooled = 5_000
const batch = 500
const flushMs = 500
const maxWaitMs = 30_000
const postMs = 10_000

interface Spooled {
  worker: string
  line: LogLine
}

/**
 * Sends workers' output as OTLP logs (JSON over HTTP, opentelemetry-proto `logs/v1`). While the endpoint does not answer,
 * a bounded number is kept; the oldest go first, and how many went is told with the next batch.
 */
export class OtlpForwarder {
  readonly #target: () => TelemetryTarget | null
  readonly #deployment: () => string
  #spool: Spooled[] = []
  #dropped = 0
  #timer: NodeJS.Timeout | null = null
  #failures = 0
  #sending = false

  constructor(target: () => TelemetryTarget | null, deployment: () => string) {
    this.#target = target
    this.#deployment = deployment
  }

  add(worker: string, line: LogLine): void {
    this.#spool.push({ worker, line })
    if (this.#spool.length > maxSpooled) {
      this.#spool = this.#spool.slice(batch)
      this.#dropped += batch
    }
    this.#arm(flushMs)
  }

  async flush(): Promise<void> {
    if (this.#sending) return
    const target = this.#target()
    if (!target) {
      this.#spool = []
      this.#dropped = 0
      return
    }
    const lines = this.#spool.slice(0, batch)
    if (lines.length === 0) return
    this.#sending = true
    const dropped = this.#dropped
    const sent = await this.#post(target, lines, dropped)
    this.#sending = false
    if (sent) {
      const done = new Set(lines)
      this.#spool = this.#spool.filter((each) => !done.has(each))
      this.#dropped -= dropped
      this.#failures = 0
    } else this.#failures++
    if (this.#spool.length > 0) {
      const wait = Math.min(maxWaitMs, flushMs * 2 ** this.#failures)
      this.#arm(this.#failures === 0 ? 0 : wait / 2 + (wait / 2) * Math.random())
    }
  }

  #arm(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      void this.flush().catch((error: unknown) => console.error(new Date().toISOString(), error))
    }, ms).unref()
  }

  async #post(target: TelemetryTarget, lines: readonly Spooled[], dropped: number): Promise<boolean> {
    try {
      const response = await fetch(`${target.endpoint.replace(/\/$/, '')}/v1/logs`, {
        method: 'POST',
        headers: { ...target.headers, 'content-type': 'application/json' },
        body: JSON.stringify(otlpLogs(this.#deployment(), lines, dropped)),
        signal: AbortSignal.timeout(postMs),
        redirect: 'error',
      })
      await response.arrayBuffer()
      // What is refused as broken is not sent again; only what may pass later is.
      return response.ok || (response.status >= 400 && response.status < 500 && response.status !== 429)
    } catch {
      return false
    }
  }
}

/** One `ExportLogsServiceRequest`, a resource for each version of a worker. */
export function otlpLogs(deployment: string, lines: readonly Spooled[], dropped: number) {
  const groups = new Map<string, Spooled[]>()
  for (const each of lines) {
    const key = `${each.worker} ${each.line.versionId}`
    const group = groups.get(key)
    if (group) group.push(each)
    else groups.set(key, [each])
  }
  const resourceLogs = [...groups.values()].map((group) => {
    const [first] = group
    return {
      resource: {
        attributes: attributes({
          'service.name': first?.worker ?? '',
          'service.version': first?.line.version ?? '',
          'landfall.deployment': deployment,
          'landfall.worker': first?.worker ?? '',
          'landfall.version.id': first?.line.versionId ?? '',
          ...(dropped > 0 && { 'landfall.dropped': String(dropped) }),
        }),
      },
      scopeLogs: [{ scope: { name: 'landfall.host' }, logRecords: group.map(({ line }) => record(line)) }],
    }
  })
  return { resourceLogs }
}

/** SeverityNumber of OpenTelemetry's log model. */
const severity = { debug: 5, info: 9, warn: 13, error: 17 } as const

/** The runtime's lines keep time, severity, trace and fields; others are told by their stream alone. */
function record(line: LogLine) {
  const structured = line.stream === 'stdout' ? structuredLine(line.line) : null
  const level = structured?.own.level ?? (line.stream === 'stderr' ? 'error' : 'info')
  const { traceId, spanId } = structured?.own ?? {}
  return {
    // The number of a line grows by microseconds, also within a millisecond: the order is kept.
    timeUnixNano: `${structured ? Date.parse(structured.own.time) * 1_000 + (line.n % 1_000) : line.n}000`,
    observedTimeUnixNano: `${line.n}000`,
    severityNumber: severity[level],
    severityText: level.toUpperCase(),
    body: anyValue(structured?.own.message ?? line.line),
    attributes: attributes({
      'log.iostream': line.stream,
      'service.instance.id': line.instance,
      ...structured?.fields,
    }),
    ...(traceId !== undefined && { traceId, spanId }),
  }
}

import { randomBytes } from 'node:crypto'
import {
  type Attributes,
  type AttributeValue,
  type Context,
  context,
  type Exception,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
  TraceFlags,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import { attributes, cut, type KeyValue } from './otlp.ts'
import { nowNano, toNano } from './time.ts'

/** A span as OTLP writes it. */
export interface SpanRecord {
  scope: string
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: KeyValue[]
  events: { timeUnixNano: string; name: string; attributes: KeyValue[] }[]
  links: { traceId: string; spanId: string; attributes: KeyValue[] }[]
  status: { code: number; message?: string }
}

const maxEvents = 128

class RecordingSpan implements Span {
  readonly #context: SpanContext
  readonly #end: (record: SpanRecord) => void
  readonly #record: Omit<SpanRecord, 'endTimeUnixNano' | 'attributes'>
  readonly #attributes: Record<string, unknown>
  #ended = false

  constructor(
    scope: string,
    name: string,
    own: SpanContext,
    parent: SpanContext | undefined,
    options: SpanOptions,
    end: (record: SpanRecord) => void,
  ) {
    this.#context = own
    this.#end = end
    this.#attributes = { ...options.attributes }
    this.#record = {
      scope,
      traceId: own.traceId,
      spanId: own.spanId,
      ...(parent ? { parentSpanId: parent.spanId } : {}),
      name: cut(name),
      // OTLP counts from 1 (internal), the API from 0.
      kind: (options.kind ?? SpanKind.INTERNAL) + 1,
      startTimeUnixNano: toNano(options.startTime),
      events: [],
      links: [],
      status: { code: SpanStatusCode.UNSET },
    }
    this.addLinks(options.links ?? [])
  }

  spanContext(): SpanContext {
    return this.#context
  }

  setAttribute(key: string, value: AttributeValue | undefined): this {
    if (!this.#ended) this.#attributes[key] = value
    return this
  }

  setAttributes(values: Attributes): this {
    for (const [key, value] of Object.entries(values)) this.setAttribute(key, value)
    return this
  }

  addEvent(name: string, second?: Attributes | TimeInput, third?: TimeInput): this {
    const isTime = typeof second === 'number' || second instanceof Date || Array.isArray(second)
    if (!this.#ended && this.#record.events.length < maxEvents) {
      this.#record.events.push({
        timeUnixNano: toNano(isTime ? (second as TimeInput) : third),
        name: cut(name),
        attributes: isTime || second === undefined ? [] : attributes(second),
      })
    }
    return this
  }

  addLink(link: Link): this {
    if (!this.#ended && this.#record.links.length < maxEvents) {
      const { traceId, spanId } = link.context
      this.#record.links.push({ traceId, spanId, attributes: attributes(link.attributes ?? {}) })
    }
    return this
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link)
    return this
  }

  setStatus({ code, message }: SpanStatus): this {
    if (!this.#ended) this.#record.status = message === undefined ? { code } : { code, message: cut(message) }
    return this
  }

  updateName(name: string): this {
    if (!this.#ended) this.#record.name = cut(name)
    return this
  }

  end(time?: TimeInput): void {
    if (this.#ended) return
    this.#ended = true
    const endTimeUnixNano = time === undefined ? nowNano() : toNano(time)
    this.#end({ ...this.#record, endTimeUnixNano, attributes: attributes(this.#attributes) })
  }

  isRecording(): boolean {
    return !this.#ended
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const error = typeof exception === 'string' ? { message: exception } : exception
    this.addEvent(
      'exception',
      {
        'exception.type': ('name' in error ? error.name : undefined) ?? 'Error',
        'exception.message': error.message ?? '',
        'exception.stacktrace': ('stack' in error ? error.stack : undefined) ?? '',
      },
      time,
    )
  }
}

/** Spans that are recorded go to `end`; what the caller's trace did not sample is carried on, but not recorded. */
export class TelemetryTracerProvider implements TracerProvider {
  readonly #end: (record: SpanRecord) => void
  /** 0 to 1, of the traces that begin here. */
  readonly #ratio: number

  constructor(end: (record: SpanRecord) => void, ratio: number) {
    this.#end = end
    this.#ratio = ratio
  }

  getTracer(scope: string): Tracer {
    const startSpan = (name: string, options: SpanOptions = {}, active: Context = context.active()): Span => {
      const parent = options.root ? undefined : trace.getSpanContext(active)
      const traceId = parent?.traceId ?? randomBytes(16).toString('hex')
      const sampled = parent ? (parent.traceFlags & TraceFlags.SAMPLED) === 1 : isSampled(traceId, this.#ratio)
      const own: SpanContext = {
        traceId,
        spanId: randomBytes(8).toString('hex'),
        traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
      }
      return sampled ? new RecordingSpan(scope, name, own, parent, options, this.#end) : trace.wrapSpanContext(own)
    }
    const startActiveSpan: Tracer['startActiveSpan'] = <F extends (span: Span) => unknown>(
      name: string,
      second: SpanOptions | F,
      third?: Context | F,
      fourth?: F,
    ): ReturnType<F> => {
      const fn = [second, third, fourth].find((one): one is F => typeof one === 'function')
      if (!fn) throw new TypeError('startActiveSpan needs a function')
      const options = typeof second === 'function' ? {} : second
      const active = third === undefined || typeof third === 'function' ? context.active() : third
      const span = startSpan(name, options, active)
      return context.with(trace.setSpan(active, span), fn as (span: Span) => ReturnType<F>, undefined, span)
    }
    return { startSpan, startActiveSpan }
  }
}

/** The same decision in every process, from the last 7 bytes of the trace's id. */
const isSampled = (traceId: string, ratio: number) => Number.parseInt(traceId.slice(-13), 16) / 2 ** 52 < ratio

import {
  type Context,
  context,
  propagation,
  type SpanContext,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api'

/** `traceparent` of W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context/). */
export function parseTraceparent(header: string): SpanContext | undefined {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(header.trim())
  const [, version, traceId = '', spanId = '', flags = '', rest] = match ?? []
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
}

export const formatTraceparent = (span: SpanContext) =>
  `00-${span.traceId}-${span.spanId}-${(span.traceFlags & 1).toString(16).padStart(2, '0')}`

/** Longest `tracestate` that is carried on; the specification asks for at least 512 characters. */
const maxState = 512
const stateKey = Symbol.for('landfall.tracestate')

export class W3cPropagator implements TextMapPropagator {
  inject(active: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = trace.getSpanContext(active)
    if (!span || /^0+$/.test(span.traceId)) return
    setter.set(carrier, 'traceparent', formatTraceparent(span))
    const state = active.getValue(stateKey)
    if (typeof state === 'string') setter.set(carrier, 'tracestate', state)
  }

  extract(active: Context, carrier: unknown, getter: TextMapGetter): Context {
    const header = getter.get(carrier, 'traceparent')
    const span = typeof header === 'string' ? parseTraceparent(header) : undefined
    if (!span) return active
    const state = getter.get(carrier, 'tracestate')
    const next = trace.setSpanContext(active, span)
    return typeof state === 'string' && state.length <= maxState ? next.setValue(stateKey, state) : next
  }

  fields(): string[] {
    return ['traceparent', 'tracestate']
  }
}

/** Headers that carry the active span to whoever is called. */
export function traceHeaders(): Record<string, string> {
  const headers: Record<string, string> = {}
  propagation.inject(context.active(), headers)
  return headers
}

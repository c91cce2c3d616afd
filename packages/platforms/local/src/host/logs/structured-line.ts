import type { StructuredLine } from '@landfall/runtime'

const levels: ReadonlySet<unknown> = new Set<StructuredLine['level']>(['debug', 'info', 'warn', 'error'])

/** A line of standard output as the runtime's log writes it, its fields apart; null for what other code has printed. */
export function structuredLine(text: string): { own: StructuredLine; fields: Record<string, unknown> } | null {
  if (!text.startsWith('{')) return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  const { time, level, message, traceId, spanId, ...fields } = value as Record<string, unknown>
  if (typeof time !== 'string' || Number.isNaN(Date.parse(time)) || typeof message !== 'string') return null
  if (!levels.has(level)) return null
  const span =
    typeof traceId === 'string' &&
    /^[\da-f]{32}$/.test(traceId) &&
    typeof spanId === 'string' &&
    /^[\da-f]{16}$/.test(spanId)
  return {
    own: { time, level: level as StructuredLine['level'], message, ...(span && { traceId, spanId }) },
    fields,
  }
}

import type { AnyValue, KeyValue } from './schema.ts'

/** OTLP attributes as plain JSON, in the order they came; the last of a key wins. Integers beyond 2^53 stay text. */
export function plainAttributes(list: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }) => [key, plainValue(value)]))
}

/** An AnyValue as plain JSON; an empty one is null. */
export function plainValue(value: AnyValue | undefined): unknown {
  if (!value) return null
  if (value.stringValue !== undefined) return value.stringValue.replaceAll('\0', '')
  if (value.boolValue !== undefined) return value.boolValue
  if (value.intValue !== undefined) {
    const number = Number(value.intValue)
    return Number.isSafeInteger(number) ? number : value.intValue.toString()
  }
  if (value.doubleValue !== undefined)
    return Number.isFinite(value.doubleValue) ? value.doubleValue : String(value.doubleValue)
  if (value.arrayValue) return value.arrayValue.values.map(plainValue)
  if (value.kvlistValue) return plainAttributes(value.kvlistValue.values)
  return value.bytesValue ?? null
}

/** The first of the named attributes that is text. */
export function textAttribute(attributes: Readonly<Record<string, unknown>>, ...names: string[]): string | null {
  for (const name of names) {
    const value = attributes[name]
    if (typeof value === 'string' && value !== '') return value
  }
  return null
}

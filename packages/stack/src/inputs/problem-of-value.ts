import type { InputDefinition } from '../manifest/manifest.ts'

/** Longest text of an input. It becomes a variable, and platforms limit those. */
const maxLength = 4096

/** What is wrong with a value of an input, as the end of a sentence; undefined when it is right. Never repeats the value. */
export function problemOfValue(definition: InputDefinition, value: unknown): string | undefined {
  switch (definition.type) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'must be true or false'
    case 'integer':
    case 'number':
      return problemOfNumber(definition, value)
    case 'enum':
      return definition.values?.includes(typeof value === 'string' ? value : '')
        ? undefined
        : `must be one of ${(definition.values ?? []).join(', ')}`
    case 'string':
      return problemOfText(definition, value)
  }
}

function problemOfNumber(definition: InputDefinition, value: unknown): string | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return 'must be a number'
  if (definition.type === 'integer' && !Number.isSafeInteger(value)) return 'must be a whole number'
  if (definition.minimum !== undefined && value < definition.minimum) return `must be at least ${definition.minimum}`
  if (definition.maximum !== undefined && value > definition.maximum) return `must be at most ${definition.maximum}`
  return undefined
}

function problemOfText(definition: InputDefinition, value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be a text'
  if (value.length > maxLength) return `must have at most ${maxLength} characters`
  if (value.includes('\0')) return 'must not have a NUL character, which no environment can hold'
  if (definition.pattern !== undefined && !new RegExp(`^(?:${definition.pattern})$`, 'u').test(value)) {
    return `must match ${definition.pattern}`
  }
  return undefined
}

/** What of a JSON Schema a form shows. */
export interface Field {
  name: string
  kind: 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'json'
  required: boolean
  description: string
  format: string | undefined
  choices: readonly string[]
  minimum: number | undefined
  maximum: number | undefined
  initial: string
}

const record = (value: unknown): Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
const numberOf = (value: unknown) => (typeof value === 'number' ? value : undefined)

/** The fields of an object schema; null where the schema is not of an object with named properties. */
export function fieldsOf(schema: unknown): Field[] | null {
  const root = record(schema)
  const properties = record(root.properties)
  if (root.type !== undefined && root.type !== 'object') return null
  if (Object.keys(properties).length === 0) return root.additionalProperties === false || root.properties ? [] : null
  const required = Array.isArray(root.required) ? root.required : []
  return Object.entries(properties).map(([name, value]) => {
    const property = record(value)
    const choices = Array.isArray(property.enum) ? property.enum.filter((each) => typeof each === 'string') : []
    const type = property.type
    const kind =
      choices.length > 0
        ? 'choice'
        : type === 'string'
          ? 'text'
          : type === 'number' || type === 'integer' || type === 'boolean'
            ? type
            : 'json'
    const initial = property.default
    return {
      name,
      kind,
      required: required.includes(name),
      description: typeof property.description === 'string' ? property.description : '',
      format: typeof property.format === 'string' ? property.format : undefined,
      choices,
      minimum: numberOf(property.minimum),
      maximum: numberOf(property.maximum),
      initial: initial === undefined ? '' : typeof initial === 'string' ? initial : JSON.stringify(initial),
    }
  })
}

export type Read = { ok: true; value: unknown } | { ok: false; wrong: Record<string, string> }

/** What was typed as the value that the schema asks for; empty fields are left out. */
export function readFields(fields: readonly Field[], typed: Readonly<Record<string, string>>): Read {
  const value: Record<string, unknown> = {}
  const wrong: Record<string, string> = {}
  for (const field of fields) {
    const text = typed[field.name] ?? field.initial
    if (text === '') {
      if (field.required) wrong[field.name] = 'This is needed.'
      continue
    }
    const read = readOne(field, text)
    if ('wrong' in read) wrong[field.name] = read.wrong
    else value[field.name] = read.value
  }
  return Object.keys(wrong).length > 0 ? { ok: false, wrong } : { ok: true, value }
}

function readOne(field: Field, text: string): { value: unknown } | { wrong: string } {
  if (field.kind === 'boolean') return { value: text === 'true' }
  if (field.kind === 'json') {
    try {
      return { value: JSON.parse(text) }
    } catch {
      return { wrong: 'This is not JSON.' }
    }
  }
  if (field.kind !== 'number' && field.kind !== 'integer') return { value: text }
  const value = Number(text)
  if (!Number.isFinite(value)) return { wrong: 'Write a number.' }
  if (field.kind === 'integer' && !Number.isInteger(value)) return { wrong: 'Write a whole number.' }
  if (field.minimum !== undefined && value < field.minimum) return { wrong: `At least ${field.minimum}.` }
  if (field.maximum !== undefined && value > field.maximum) return { wrong: `At most ${field.maximum}.` }
  return { value }
}

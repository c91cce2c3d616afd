/** Deeper nesting than this is refused, so that hostile input can't exhaust the stack. */
const maxDepth = 200

/**
 * The canonical form of a JSON value: RFC 8785 (JSON Canonicalization Scheme). Members are ordered by UTF-16 code units,
 * numbers and strings are written as ECMAScript writes them. Members that are `undefined` are left out, as in JSON.
 * @throws TypeError for what JSON can't say: NaN, infinities, lone surrogates, bigint, functions, dates, cycles.
 */
export function canonicalJson(value: unknown): string {
  return write(value, '$', 0)
}

function write(value: unknown, path: string, depth: number): string {
  if (depth > maxDepth) throw new TypeError(`${path}: nested deeper than ${maxDepth} levels, or a cycle`)
  if (value === null) return 'null'
  switch (typeof value) {
    case 'boolean':
      return value ? 'true' : 'false'
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${path}: ${value} is not a JSON number`)
      // ECMAScript's Number::toString is what RFC 8785 section 3.2.2.3 prescribes; it writes -0 as 0.
      return String(value)
    case 'string':
      return writeString(value, path)
    case 'object':
      return Array.isArray(value) ? writeArray(value, path, depth) : writeObject(value, path, depth)
    default:
      throw new TypeError(`${path}: a ${typeof value} is not JSON`)
  }
}

function writeString(value: string, path: string): string {
  if (!value.isWellFormed()) throw new TypeError(`${path}: text with a lone surrogate is not Unicode`)
  return JSON.stringify(value)
}

function writeArray(value: readonly unknown[], path: string, depth: number): string {
  const items: string[] = []
  // An index loop, because `map` skips the holes of a sparse array, which are not JSON.
  for (let i = 0; i < value.length; i++) items.push(write(value[i], `${path}[${i}]`, depth + 1))
  return `[${items.join(',')}]`
}

function writeObject(value: object, path: string, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`${path}: only plain objects are JSON, not ${value.constructor?.name ?? 'this one'}`)
  }
  const members: string[] = []
  // The default order of `sort` is by UTF-16 code units, as RFC 8785 section 3.2.3 asks.
  for (const [key, member] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (member === undefined) continue
    members.push(`${writeString(key, path)}:${write(member, `${path}.${key}`, depth + 1)}`)
  }
  return `{${members.join(',')}}`
}

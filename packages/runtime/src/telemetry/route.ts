/** Different routes that one process tells apart; what comes later is `{other}`. */
const maxRoutes = 200
const known = new Set<string>()

/**
 * A path with what looks like an identifier taken out: `/invoices/42/file` → `/invoices/{id}/file`. The runtime does not know
 * the vendor's router, and a metric by path would have a series for every customer's every object.
 */
export function routeOf(path: string): string {
  const parts = path.split('/').slice(0, 12)
  const route = parts.map((part) => (isIdentifier(part) ? '{id}' : part)).join('/') || '/'
  if (known.has(route)) return route
  if (known.size >= maxRoutes) return '{other}'
  known.add(route)
  return route
}

/** Numbers, UUIDs, hex and anything with several digits, an escape or more than 40 characters. */
const isIdentifier = (part: string) =>
  part.length > 40 ||
  /^\d+$/.test(part) ||
  /%/.test(part) ||
  (part.match(/\d/g) ?? []).length > 2 ||
  /^[0-9a-f]{8,}$/i.test(part)

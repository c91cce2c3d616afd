import { RuntimeError } from '../errors/runtime-error.ts'
import type { BindingClient } from './binding-client.ts'

/** Walks a paged listing, asking for the next page only when it is needed. `read` turns one JSON entry into a result. */
export async function* pages<T>(
  client: BindingClient,
  path: string,
  field: string,
  query: Readonly<Record<string, string | undefined>>,
  read: (entry: Readonly<Record<string, unknown>>) => T,
  signal?: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  let after: string | undefined
  for (;;) {
    const request = { method: 'GET', path, query: { ...query, after } } as const
    const response = await client.request(signal ? { ...request, signal } : request)
    const page: unknown = await response.json()
    const entries: unknown = page !== null && typeof page === 'object' ? Reflect.get(page, field) : undefined
    if (!Array.isArray(entries)) throw malformed()
    for (const entry of entries) {
      if (entry === null || typeof entry !== 'object') throw malformed()
      yield read({ ...entry })
    }
    const next: unknown = page !== null && typeof page === 'object' ? Reflect.get(page, 'next') : null
    if (typeof next !== 'string') return
    // A platform that does not move on would hold the caller forever.
    if (next === after) throw malformed()
    after = next
  }
}

const malformed = () =>
  new RuntimeError({
    code: 'E_BINDING_REFUSED',
    message: 'The platform answered a listing in a form that this runtime does not know.',
    hint: 'The worker was built with another version of Landfall than the platform runs: upgrade the older one.',
  })

import { randomUUID } from 'node:crypto'
import type { Middleware } from '../../src/api/create-api.ts'
import type { Route } from '../../src/api/routes.ts'

/** A prime, because hashes then spread evenly. */
const slotCount = 97

/** Counts requests in slots by a hash of the request's id. */
export function countRequests(): { around: Middleware; route: Route } {
  const slots = new Uint32Array(slotCount)
  return {
    around(request, next) {
      const slot = slotOf(request.headers.get('x-request-id') ?? randomUUID(), slots.length)
      slots[slot] = (slots[slot] ?? 0) + 1
      return next()
    },
    route: {
      method: 'GET',
      path: /^\/usage$/,
      handle: async () => Response.json({ slots: [...slots] }),
    },
  }
}

/** FNV-1a into as many slots as there are. */
export function slotOf(requestId: string, slots: number): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(requestId)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash % slots
}

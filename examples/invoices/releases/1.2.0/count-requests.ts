import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Middleware } from '../../src/api/create-api.ts'
import type { Route } from '../../src/api/routes.ts'

interface Slot {
  requests: number
}

/** A prime, because hashes then spread evenly. */
const slotCount = 97
/** Requests that come together are counted together. */
const gatherMs = 150

/**
 * Counts requests in slots by a hash of the request's id.
 *
 * This is the release that Landfall is to stop, and it has the bugs that reviews miss: the table has 97 slots but the hash is
 * taken modulo 100, so three requests in a hundred find no slot and answer 500; and each request waits for others to gather.
 */
export function countRequests(): { around: Middleware; route: Route } {
  const slots: Slot[] = Array.from({ length: slotCount }, () => ({ requests: 0 }))
  return {
    async around(request, next) {
      const slot = slots[slotOf(request.headers.get('x-request-id') ?? randomUUID())] as Slot
      await sleep(gatherMs)
      slot.requests++
      return next()
    },
    route: {
      method: 'GET',
      path: /^\/usage$/,
      handle: async () => Response.json({ slots: slots.map((slot) => slot.requests) }),
    },
  }
}

/** FNV-1a, then the low digits. */
export function slotOf(requestId: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(requestId)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash % 100
}

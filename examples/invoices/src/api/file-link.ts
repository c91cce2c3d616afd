import { createHmac, timingSafeEqual } from 'node:crypto'

/** A link to an attached file that works without a login: the signature is the permission. */
export function fileLink(id: string, key: string): string {
  return `/files/${id}?signature=${signature(id, key)}`
}

export function isSigned(id: string, given: string | null, key: string): boolean {
  const expected = Buffer.from(signature(id, key))
  const actual = Buffer.from(given ?? '')
  return actual.length === expected.length && timingSafeEqual(actual, expected)
}

const signature = (id: string, key: string) => createHmac('sha256', key).update(`file:${id}`).digest('base64url')

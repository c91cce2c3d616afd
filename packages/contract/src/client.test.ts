import { expect, it } from 'vitest'
import { createClient } from './client.ts'

it.each([
  [409, 'E_IDEMPOTENCY_RUNNING', true],
  [409, 'E_CONFLICT', false],
  [503, 'E_BUSY', true],
  [429, 'E_THROTTLED', true],
])('an answer %i %s may be repeated as it is: %s', async (status, code, retryable) => {
  const document = { type: 'x', title: 'x', status, detail: 'x', code, hint: 'x' }
  const client = createClient({ url: 'http://x', fetch: async () => Response.json(document, { status }) })
  await expect(client.whoami({})).rejects.toMatchObject({ code, retryable })
})

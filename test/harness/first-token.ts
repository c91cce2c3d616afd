import { createClient } from '@landfall/contract'

/** The first account, by the link that the start printed; answers its API token. */
export async function firstToken(manager: { url: string; bootstrapUrl: string | null }): Promise<string> {
  let cookie = ''
  const browser: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers)
    if (cookie !== '') headers.set('cookie', cookie)
    headers.set('origin', manager.url)
    const response = await fetch(input, { ...init, headers })
    cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
    return response
  }
  const client = createClient({ url: manager.url, fetch: browser })
  const token = new URL(manager.bootstrapUrl ?? '').searchParams.get('token') ?? ''
  await client.bootstrap({ body: { token, name: 'Ada', email: 'ada@example.com', password: 'correct horse battery' } })
  return (await client.createOwnToken({ body: { name: 'test' } })).secret
}

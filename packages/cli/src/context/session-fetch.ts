/** A `fetch` that keeps one manager's session cookie, as a browser would. */
export function createSessionFetch(origin: string): typeof globalThis.fetch {
  let cookie = ''
  return async (input, init) => {
    const headers = new Headers(init?.headers)
    if (cookie) headers.set('cookie', cookie)
    headers.set('origin', origin)
    const response = await fetch(input, { ...init, headers })
    cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
    return response
  }
}

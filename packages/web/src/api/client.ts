import { type Client, createClient } from '@landfall/contract'

type Listener = () => void
const signedOut = new Set<Listener>()

/** Called whenever the manager says that nobody is signed in. Returns how to stop listening. */
export function onSignedOut(listener: Listener): () => void {
  signedOut.add(listener)
  return () => signedOut.delete(listener)
}

/** Who it was that answered 401 matters not: the session is over, and the sign-in page is next. */
const watched: typeof globalThis.fetch = async (input, init) => {
  const response = await fetch(input, init)
  const address = input instanceof Request ? input.url : String(input)
  if (response.status === 401 && !address.includes('/api/auth/')) for (const listener of signedOut) listener()
  return response
}

/** The manager's API with the browser's session cookie: pages and API have one origin. */
export const api: Client = createClient({ url: location.origin, fetch: watched })

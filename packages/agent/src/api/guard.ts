import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { LandfallError } from '@landfall/stack'

/** How callers of the local API are known: by reaching the socket, or by a token on a port of this machine. */
export type Access = { kind: 'socket' } | { kind: 'port'; port: number; token: string }

/**
 * Lets a call in or throws. On the socket, the file's permissions have decided already. On a port every process of the machine,
 * and every page in a browser on it, can knock: so the `Host` must name this machine (a name that was rebound to 127.0.0.1 does
 * not), no `Origin` may come with it, and the token must be right.
 *
 * @throws LandfallError `E_FORBIDDEN`, `E_UNAUTHENTICATED`
 */
export function requireAccess(request: IncomingMessage, access: Access): void {
  if (access.kind === 'socket') return
  const hosts = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${access.port}`)
  if (!hosts.includes(request.headers.host ?? '') || request.headers.origin !== undefined) {
    throw new LandfallError({
      code: 'E_FORBIDDEN',
      message: 'The local API answers programs on this machine, by its own address, and no browser.',
      hint: `Call http://127.0.0.1:${access.port} with the token of the agent's token file.`,
    })
  }
  const given = /^Bearer ([\x21-\x7e]{1,200})$/.exec(request.headers.authorization ?? '')?.[1]
  if (given !== undefined && same(given, access.token)) return
  throw new LandfallError({
    code: 'E_UNAUTHENTICATED',
    message: given === undefined ? 'The local API wants a token.' : 'The token is not the one of this agent.',
    hint: "Give the content of the agent's token file as bearer token (`--token-file`).",
  })
}

/** Compares digests, so that neither length nor content shows in the time it takes. */
function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

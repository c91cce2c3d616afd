import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface IdentityProvider {
  issuer: string
  clientId: string
  clientSecret: string
  /** Who signs in next, and how the provider misbehaves, if it does. */
  next: {
    email?: string
    emailVerified?: boolean
    nonce?: string
    audience?: string
    /** Signs with a key that is not published. */
    wrongKey?: boolean
  }
  stop(): Promise<void>
}

interface Pending {
  challenge: string
  nonce: string
  redirect: string
}

/**
 * A small strict OpenID Connect provider for tests (Core 1.0, code flow with PKCE): it refuses what a real one refuses, such
 * as a code used twice, another redirect, a wrong verifier, a client without its secret.
 */
export async function startIdentityProvider(): Promise<IdentityProvider> {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const clientId = 'landfall'
  const clientSecret = randomBytes(16).toString('hex')
  const codes = new Map<string, Pending>()
  const next: IdentityProvider['next'] = {}
  let issuer = ''

  const idToken = (nonce: string) => {
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: issuer,
      sub: 'person-1',
      aud: next.audience ?? clientId,
      exp: now + 60,
      iat: now,
      nonce: next.nonce ?? nonce,
      email: next.email,
      email_verified: next.emailVerified ?? true,
    }
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const text = `${encode({ alg: 'RS256', kid: 'k1', typ: 'JWT' })}.${encode(claims)}`
    const key = next.wrongKey ? stranger.privateKey : keys.privateKey
    return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`
  }

  const authorize = (query: URLSearchParams): string | null => {
    const [challenge, nonce, redirect, state] = ['code_challenge', 'nonce', 'redirect_uri', 'state'].map((name) =>
      query.get(name),
    )
    const right =
      query.get('client_id') === clientId &&
      query.get('response_type') === 'code' &&
      query.get('code_challenge_method') === 'S256' &&
      query.get('scope')?.split(' ').includes('openid')
    if (!right || !challenge || !nonce || !redirect || !state) return null
    const code = randomBytes(16).toString('hex')
    codes.set(code, { challenge, nonce, redirect })
    const url = new URL(redirect)
    url.searchParams.set('code', code)
    url.searchParams.set('state', state)
    return url.href
  }

  const exchange = (form: URLSearchParams, authorization: string): object | null => {
    const code = form.get('code') ?? ''
    const pending = codes.get(code)
    codes.delete(code)
    const basic = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString()
    const known =
      basic === `${clientId}:${clientSecret}` ||
      (form.get('client_id') === clientId && form.get('client_secret') === clientSecret)
    const verifier = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    if (!pending || !known || verifier !== pending.challenge || form.get('redirect_uri') !== pending.redirect)
      return null
    return {
      access_token: randomBytes(16).toString('hex'),
      token_type: 'Bearer',
      expires_in: 60,
      id_token: idToken(pending.nonce),
    }
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', issuer)
    const answer = (status: number, body: object, headers: Record<string, string> = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(JSON.stringify(body))
    }
    if (url.pathname === '/.well-known/openid-configuration') {
      return answer(200, {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
        code_challenge_methods_supported: ['S256'],
      })
    }
    if (url.pathname === '/jwks') {
      const jwk = keys.publicKey.export({ format: 'jwk' })
      return answer(200, { keys: [{ ...jwk, kid: 'k1', alg: 'RS256', use: 'sig' }] })
    }
    if (url.pathname === '/authorize') {
      const location = authorize(url.searchParams)
      return location ? answer(302, {}, { location }) : answer(400, { error: 'invalid_request' })
    }
    if (url.pathname === '/token' && request.method === 'POST') {
      const tokens = exchange(new URLSearchParams(await read(request)), request.headers.authorization ?? '')
      return tokens ? answer(200, tokens) : answer(400, { error: 'invalid_grant' })
    }
    return answer(404, {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    issuer,
    clientId,
    clientSecret,
    next,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function read(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

import { LandfallError } from '@landfall/stack'
import * as oidc from 'openid-client'
import type { Services } from '../http/services.ts'
import type { Settings } from '../http/settings.ts'
import { sessionCookieName, startSession } from './sessions.ts'
import { hashToken } from './token.ts'

const loginMs = 10 * 60_000

/**
 * Sign-in at the vendor's identity provider: authorization code with PKCE, state and nonce (OpenID Connect Core 1.0,
 * RFC 7636), by `openid-client`. Whoever signs in must have been invited here: the provider proves an address, it does not
 * give rights.
 */
export class SingleSignOn {
  #configuration: Promise<oidc.Configuration> | null = null

  /** Sends the browser to the provider; where that can't be, a person's browser goes back to the sign-in page with the code. */
  async start(returnTo: string, services: Services, headers: Headers): Promise<Response> {
    try {
      return await this.#start(returnTo, services)
    } catch (error) {
      if (!LandfallError.is(error) || !headers.get('accept')?.includes('text/html')) throw error
      const location = signInPage(services.settings, error.code, localPath(returnTo))
      return new Response(null, { status: 302, headers: { location, 'cache-control': 'no-store' } })
    }
  }

  async #start(returnTo: string, services: Services): Promise<Response> {
    const { db, clock, settings } = services
    const configuration = await this.#discover(settings)
    const verifier = oidc.randomPKCECodeVerifier()
    const state = oidc.randomState()
    const nonce = oidc.randomNonce()
    const expires_at = new Date(clock.now() + loginMs)
    await db.deleteFrom('oidc_logins').where('expires_at', '<', new Date(clock.now())).execute()
    await db
      .insertInto('oidc_logins')
      .values({ state: hashToken(state), nonce, verifier, return_to: localPath(returnTo), expires_at })
      .execute()
    const url = oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: callbackUrl(settings),
      scope: 'openid email profile',
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    })
    const headers = new Headers({ location: url.href, 'cache-control': 'no-store' })
    headers.append('set-cookie', stateCookie(settings, state, loginMs / 1000))
    return new Response(null, { status: 302, headers })
  }

  /** Takes the browser back. Whatever goes wrong ends at the sign-in page with a code, never in a half-open session. */
  async finish(headers: Headers, query: Record<string, unknown>, services: Services): Promise<Response> {
    const { settings } = services
    const answer = new Headers({ 'cache-control': 'no-store' })
    answer.append('set-cookie', stateCookie(settings, '', 0))
    try {
      const { user, returnTo } = await this.#identify(headers, query, services)
      answer.append('set-cookie', await startSession(services.db, user, services))
      answer.set('location', `${settings.publicUrl}${returnTo}`)
    } catch (error) {
      const code = LandfallError.is(error) ? error.code : 'E_SSO_FAILED'
      // The provider's own words may hold the code that was exchanged.
      const note = { code, error: error instanceof Error ? error.name : 'unknown' }
      if (LandfallError.is(error)) services.log.info('a single sign-on was refused', note)
      else services.log.warn('a single sign-on failed', note)
      answer.set('location', signInPage(settings, code))
    }
    return new Response(null, { status: 302, headers: answer })
  }

  async #identify(headers: Headers, query: Record<string, unknown>, { db, clock, settings }: Services) {
    const state = typeof query.state === 'string' ? query.state : ''
    // The cookie ties the answer to the browser that asked: a link made by somebody else signs nobody in.
    if (state === '' || readCookie(headers.get('cookie'), stateCookieName(settings)) !== state) throw failed()
    const login = await db
      .deleteFrom('oidc_logins')
      .where('state', '=', hashToken(state))
      .where('expires_at', '>', new Date(clock.now()))
      .returningAll()
      .executeTakeFirst()
    if (!login) throw failed()
    const configuration = await this.#discover(settings)
    const current = new URL(callbackUrl(settings))
    for (const [name, value] of Object.entries(query))
      if (typeof value === 'string') current.searchParams.set(name, value)
    const tokens = await oidc.authorizationCodeGrant(configuration, current, {
      pkceCodeVerifier: login.verifier,
      expectedState: state,
      expectedNonce: login.nonce,
      idTokenExpected: true,
    })
    const claims = tokens.claims()
    if (!claims || typeof claims.email !== 'string' || claims.email_verified !== true) {
      throw new LandfallError({
        code: 'E_SSO_EMAIL',
        message: 'The identity provider did not confirm an e-mail address.',
        hint: 'Have the address verified at the provider, and let it send `email` and `email_verified`.',
      })
    }
    const user = await db
      .selectFrom('users')
      .select('id')
      .where('email', '=', claims.email.toLowerCase())
      .where('removed_at', 'is', null)
      .executeTakeFirst()
    if (!user) {
      throw new LandfallError({
        code: 'E_SSO_UNKNOWN',
        message: 'Nobody with this address was invited to this Landfall.',
        hint: 'Ask an operator for an invitation.',
      })
    }
    return { user: user.id, returnTo: login.return_to }
  }

  async #discover(settings: Settings): Promise<oidc.Configuration> {
    const given = settings.oidc
    if (!given) {
      throw new LandfallError({
        code: 'E_SSO_OFF',
        message: 'Single sign-on is not set up here.',
        hint: 'Sign in with a local account, or set LANDFALL_OIDC_ISSUER, LANDFALL_OIDC_CLIENT_ID and LANDFALL_OIDC_CLIENT_SECRET.',
      })
    }
    const issuer = new URL(given.issuer)
    // Plain http only for a provider on this very machine, as in tests.
    const local = issuer.protocol === 'http:' && ['127.0.0.1', 'localhost'].includes(issuer.hostname)
    this.#configuration ??= oidc.discovery(issuer, given.clientId, given.clientSecret, undefined, {
      timeout: 10,
      // The ID token's signature is checked too, although it came straight from the provider over TLS.
      execute: [oidc.enableNonRepudiationChecks, ...(local ? [oidc.allowInsecureRequests] : [])],
    })
    try {
      return await this.#configuration
    } catch {
      // The next attempt asks again: the provider may only have been away.
      this.#configuration = null
      throw new LandfallError({
        code: 'E_SSO_PROVIDER',
        message: 'The identity provider does not answer as one.',
        hint: 'Check LANDFALL_OIDC_ISSUER and that the manager can reach it.',
        retryable: true,
      })
    }
  }
}

function callbackUrl(settings: Settings): string {
  return `${settings.publicUrl}/api/auth/oidc/callback`
}

/** Where the refusal is told: the web app's page reads `problem`, and leads on to `to` after another try. */
function signInPage(settings: Settings, problem: string, to?: string): string {
  const query = new URLSearchParams({ problem, ...(to === undefined || to === '/' ? {} : { to }) })
  return `${settings.publicUrl}/sign-in?${query}`
}

/** Only a path of our own: `//evil.example` and `/\evil.example` would lead away. */
function localPath(path: string): string {
  const base = 'http://landfall.invalid'
  if (!URL.canParse(path, base)) return '/'
  const url = new URL(path, base)
  return url.origin === base ? `${url.pathname}${url.search}` : '/'
}

function stateCookieName(settings: Settings): string {
  return `${sessionCookieName(settings.publicUrl)}-sso`
}

function stateCookie(settings: Settings, value: string, maxAge: number): string {
  const secure = settings.publicUrl.startsWith('https:') ? '; Secure' : ''
  return `${stateCookieName(settings)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAge}${secure}`
}

function readCookie(header: string | null, name: string): string | null {
  const found = header?.split(';').find((part) => part.trim().startsWith(`${name}=`))
  return found ? found.trim().slice(name.length + 1) : null
}

function failed(): LandfallError {
  return new LandfallError({
    code: 'E_SSO_FAILED',
    message: 'The sign-in was not begun in this browser, or took too long.',
    hint: 'Begin again at the sign-in page.',
  })
}

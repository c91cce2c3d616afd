import { LandfallError } from '@landfall/stack'

/**
 * Whether a browser may have been made to send this by another site. A cookie goes along with any request that a page
 * makes the browser send (SameSite=Lax stops most, not all), so a mutating call by cookie must come from our own origin.
 *
 * @param required also without an `Origin` header: browsers send one with every mutating call
 * @throws LandfallError `E_CSRF`
 */
export function requireSameOrigin(headers: Headers, publicUrl: string, requestUrl: string, required: boolean): void {
  const origin = headers.get('origin')
  if (origin === null && !required) return
  if (origin === new URL(publicUrl).origin || origin === new URL(requestUrl).origin) return
  throw new LandfallError({
    code: 'E_CSRF',
    message: 'This call comes from another site than the manager itself.',
    hint: `Open ${publicUrl}, or use an API token. Behind a proxy, set the manager's public address.`,
  })
}

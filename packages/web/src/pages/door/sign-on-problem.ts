import type { Failure } from '../../api/failure.ts'

const known: Readonly<Record<string, { message: string; hint: string }>> = {
  E_SSO_FAILED: {
    message: 'The single sign-on did not come to its end.',
    hint: 'Begin again below, in this browser, within ten minutes. If it fails again, ask whoever runs the identity provider.',
  },
  E_SSO_UNKNOWN: {
    message: 'The identity provider knows you, but nobody has invited your address to this Landfall.',
    hint: 'Ask an operator to invite you: `landfall users invite ADDRESS`.',
  },
  E_SSO_EMAIL: {
    message: 'The identity provider did not confirm your e-mail address.',
    hint: 'Have the address verified there; the provider has to send `email` and `email_verified`.',
  },
  E_SSO_PROVIDER: {
    message: 'The identity provider does not answer.',
    hint: 'Try again in a moment. If it stays, check `LANDFALL_OIDC_ISSUER`, and that the manager can reach it.',
  },
  E_SSO_OFF: {
    message: 'Single sign-on is not set up here.',
    hint: 'Sign in with your password.',
  },
}

/** What the sign-in page says of the code that a refused single sign-on came back with; null for what is no code. */
export function signOnProblem(code: string | undefined): Failure | null {
  if (code === undefined || !/^E_[A-Z_]{1,40}$/.test(code)) return null
  const words = known[code] ?? { message: 'The single sign-on was refused.', hint: 'Begin again below.' }
  return { code, ...words, problems: [] }
}

/** Who did something at the site, for the audit. Nothing proves it: a socket does not say who is at its other end. */
export const atSite = (by: string | undefined): string => `${by ?? 'somebody'} (at the site, as given)`

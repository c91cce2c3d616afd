import type { Look } from './draft.ts'

/** Takes a version away for good, again until it is gone; a version that still serves is left alone. */
export function retire(look: Look, version: 'stable' | 'candidate'): void {
  const seen = look.seen[version]
  const serves = version === 'candidate' ? look.seen.served > 0.001 : look.seen.served < 99.99
  if (seen && !serves) look.actions.push({ kind: 'retire', version })
}

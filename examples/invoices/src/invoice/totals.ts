import type { Line, Totals } from './invoice.ts'

/**
 * Net, VAT by rate and gross, in cents. VAT is worked out on the sum of each rate, not line by line, and rounded half away
 * from zero: what tax offices expect, and what keeps the total independent of how lines are split.
 */
export function totalsOf(lines: readonly Line[]): Totals {
  const nets = new Map<number, number>()
  for (const { quantity, unitPrice, vatPercent } of lines) {
    nets.set(vatPercent, (nets.get(vatPercent) ?? 0) + round(quantity * unitPrice))
  }
  const vat = [...nets]
    .sort(([a], [b]) => a - b)
    .map(([percent, net]) => ({ percent, net, vat: round((net * percent) / 100) }))
  const net = vat.reduce((sum, one) => sum + one.net, 0)
  return { net, vat, gross: net + vat.reduce((sum, one) => sum + one.vat, 0) }
}

/** Half away from zero. The small nudge undoes binary fractions: 1.005 × 100 is 100.49999999999999. */
function round(cents: number): number {
  return Math.sign(cents) * Math.floor(Math.abs(cents) + 0.5 + 1e-7)
}

/**
 * Half-width of an asymptotic confidence sequence for a mean effect (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas,
 * "Time-uniform central limit theory and asymptotic confidence sequences", 2024, theorem 2.2): Robbins' normal mixture.
 * `variance`: of the estimate; `information`: how large the estimate's sample is in units where the mixture is narrowest at 1.
 */
export function halfWidth(variance: number, information: number, alpha: number): number {
  if (variance <= 0 || information <= 0) return 0
  const v = Math.max(information, 1e-9)
  return Math.sqrt(((variance * (v + 1)) / v) * (Math.log1p(v) - 2 * Math.log(alpha)))
}

/**
 * The usual practice: every interval, the error rates (or mean latencies) of the last looks of both versions are compared
 * by a one-sided Mann-Whitney U test at 5%, normal approximation with tie and continuity correction, each window by
 * itself; the first significant one aborts (PipeCD: `p < 0.05`, `failureLimit: 0`; Kayenta's judge is the same test at 98%).
 */
export function mannWhitneyGreater(candidate: readonly number[], stable: readonly number[]): number {
  const n = candidate.length
  const m = stable.length
  const all = [
    ...candidate.map((value) => ({ value, own: true })),
    ...stable.map((value) => ({ value, own: false })),
  ].sort((a, b) => a.value - b.value)
  let rankSum = 0
  let ties = 0
  for (let from = 0; from < all.length; ) {
    let to = from
    while (to < all.length && all[to]?.value === all[from]?.value) to += 1
    const rank = (from + 1 + to) / 2
    for (let index = from; index < to; index++) if (all[index]?.own) rankSum += rank
    ties += (to - from) ** 3 - (to - from)
    from = to
  }
  const u = rankSum - (n * (n + 1)) / 2
  const total = n + m
  const deviation = Math.sqrt(((n * m) / 12) * (total + 1 - ties / (total * (total - 1))))
  return deviation === 0 ? 1 : above((u - (n * m) / 2 - 0.5) / deviation)
}

/** Probability that a standard normal is above `z`. */
function above(z: number): number {
  const t = 1 / (1 + 0.3275911 * (Math.abs(z) / Math.SQRT2))
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
  const tail = (series * Math.exp((-z * z) / 2)) / 2
  return z >= 0 ? tail : 1 - tail
}

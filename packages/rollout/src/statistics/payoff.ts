/** Events (errors, slow requests) among requests of one version in one interval. */
export interface Arm {
  n: number
  x: number
}

/**
 * Payoff under exchangeable requests: given all events of the interval, the part that falls on the candidate is in the
 * mean its part of the requests, however events cluster (retries, duplicated reports, a burst that hits both). Scaled so
 * that the lowest value is -1.
 */
export function shareOfEvents(stable: Arm, candidate: Arm): number {
  const events = stable.x + candidate.x
  const fraction = candidate.n / (candidate.n + stable.n)
  return events === 0 ? 0 : (candidate.x / events - fraction) / fraction
}

/**
 * Payoff under versions whose rates move each for itself from interval to interval around the same mean: the larger
 * version is thinned to the size of the smaller (in expectation, so nothing random is needed); then both have the same
 * distribution and any odd function of the two is 0 in the mean. Between -1 and 1.
 */
export function thinnedContrast(stable: Arm, candidate: Arm): number {
  if (candidate.n <= stable.n) return expectedContrast(candidate.x, stable, candidate.n)
  return -expectedContrast(stable.x, candidate, stable.n)
}

/** Mean of (a - h)/(a + h), h hypergeometric: events among `size` requests drawn from the larger version. */
function expectedContrast(a: number, larger: Arm, size: number): number {
  const contrast = (h: number) => (a + h === 0 ? 0 : (a - h) / (a + h))
  const { n, x } = larger
  if (x === 0) return contrast(0)
  if (n <= size) return contrast(x)
  const mean = (x * size) / n
  const deviation = Math.sqrt(Math.max(0, (mean * (1 - x / n) * (n - size)) / Math.max(1, n - 1)))
  const low = Math.max(0, size - (n - x), Math.floor(mean - 8 * deviation - 8))
  const high = Math.min(x, size, Math.ceil(mean + 8 * deviation + 8))
  let h = Math.min(high, Math.max(low, Math.round(mean)))
  const middle = h
  let total = 1
  let sum = contrast(h)
  for (let p = 1; h < high; ) {
    p *= ((x - h) * (size - h)) / ((h + 1) * (n - x - size + h + 1))
    h += 1
    total += p
    sum += p * contrast(h)
  }
  h = middle
  for (let p = 1; h > low; ) {
    p *= (h * (n - x - size + h)) / ((x - h + 1) * (size - h + 1))
    h -= 1
    total += p
    sum += p * contrast(h)
  }
  return sum / total
}

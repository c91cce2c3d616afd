/** Seeded chance for simulations: mulberry32, and the distributions made from it. */
export interface Chance {
  uniform(): number
  normal(): number
  gamma(shape: number): number
  beta(a: number, b: number): number
  binomial(n: number, p: number): number
  poisson(mean: number): number
}

export function chance(seed: number): Chance {
  let state = seed >>> 0
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
  /** Marsaglia and Tsang, 2000. */
  const gamma = (shape: number): number => {
    if (shape < 1) return gamma(shape + 1) * (1 - uniform()) ** (1 / shape)
    const d = shape - 1 / 3
    const c = 1 / Math.sqrt(9 * d)
    for (;;) {
      const x = normal()
      const v = (1 + c * x) ** 3
      if (v > 0 && Math.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
    }
  }
  const beta = (a: number, b: number) => {
    const x = gamma(a)
    return x / (x + gamma(b))
  }
  /** By waiting times, so that small p is cheap. */
  const binomial = (n: number, p: number): number => {
    if (p <= 0 || n <= 0) return 0
    if (p >= 1) return n
    if (p > 0.5) return n - binomial(n, 1 - p)
    const log = Math.log1p(-p)
    let count = 0
    for (
      let at = Math.floor(Math.log(1 - uniform()) / log);
      at < n;
      at += 1 + Math.floor(Math.log(1 - uniform()) / log)
    )
      count += 1
    return count
  }
  const poisson = (mean: number): number => {
    if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()))
    const limit = Math.exp(-mean)
    let product = uniform()
    let count = 0
    for (; product > limit; count += 1) product *= uniform()
    return count
  }
  return { uniform, normal, gamma, beta, binomial, poisson }
}

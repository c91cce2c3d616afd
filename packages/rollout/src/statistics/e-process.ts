/**
 * A betting e-process (Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting", 2024): capital
 * that starts at 1 and is multiplied by `1 + bet × payoff`. Where payoffs are ≥ -1 and their mean is ≤ 0 given the past,
 * capital is a supermartingale; by Ville's inequality it ever reaches 1/α with probability ≤ α, however often one looks.
 * The bets are a fixed mixture, so no tuning looks at the data. `reserve` is capital not yet at stake: a part is released
 * at every step, so that harm which begins late is not weighed against a long good past.
 */
export interface EProcess {
  /** Natural logarithm of the capital on each bet. */
  capital: readonly number[]
  reserve: number
}

export const bets: readonly number[] = [0.05, 0.2, 0.5, 0.9]
const weights: readonly number[] = [0.1, 0.2, 0.3, 0.4]

export const emptyProcess: EProcess = { capital: bets.map(() => -1e6), reserve: 1 }

/** Puts a part of the reserve at stake, predictably (before the interval is seen). */
export function release(process: EProcess, part: number): EProcess {
  const amount = process.reserve * part
  if (amount <= 0) return process
  const capital = process.capital.map((log, index) => addLog(log, Math.log(amount * (weights[index] ?? 0))))
  return { capital, reserve: process.reserve - amount }
}

export function bet(process: EProcess, payoff: number, scale: number): EProcess {
  const capital = process.capital.map((log, index) => log + Math.log1p((bets[index] ?? 0) * scale * payoff))
  return { capital, reserve: process.reserve }
}

/** Natural logarithm of the whole capital. */
export function logCapital(process: EProcess): number {
  return process.capital.reduce(addLog, process.reserve > 0 ? Math.log(process.reserve) : Number.NEGATIVE_INFINITY)
}

function addLog(a: number, b: number): number {
  const high = Math.max(a, b)
  return high === Number.NEGATIVE_INFINITY ? high : high + Math.log(Math.exp(a - high) + Math.exp(b - high))
}

import type { GateAnswer } from '@landfall/rollout'
import type { Clock, Random } from '../ports/clock.ts'

const leastMs = 2_000
const mostMs = 30_000
/** A receiver may ask for patience, and no gate sleeps for ever by one header. */
const mostAskedMs = 15 * 60_000
const maxWaiting = 10_000

interface Waiting {
  answer: GateAnswer
  /** Answers in a row that were no verdict. */
  waits: number
  askAt: number
}

/**
 * How long until a webhook that waits is asked again, in milliseconds: 2 s, growing to 30 s, with full jitter above the least; longer
 * where the receiver asked for it (`Retry-After`).
 *
 * @param waits answers in a row that were no verdict, from 1
 * @param chance uniform in [0, 1)
 */
export function webhookPause(waits: number, retryAfterMs: number | null, chance: number): number {
  const spread = Math.min(mostMs - leastMs, 1_000 * 2 ** Math.min(waits - 1, 10))
  return Math.max(leastMs + Math.round(chance * spread), Math.min(retryAfterMs ?? 0, mostAskedMs))
}

/**
 * Asks no webhook more often than it should be: the engine asks at each look, and between two calls it gets the last answer. In memory:
 * after a restart each is asked once at once.
 */
export class WebhookPace {
  readonly #clock: Pick<Clock, 'now'>
  readonly #random: Random
  readonly #waiting = new Map<string, Waiting>()

  constructor(clock: Pick<Clock, 'now'>, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  /** @param key names gate, deployment, rollout and version */
  async ask(
    key: string,
    call: () => Promise<{ answer: GateAnswer; retryAfterMs: number | null }>,
  ): Promise<GateAnswer> {
    const known = this.#waiting.get(key)
    if (known && this.#clock.now() < known.askAt) return known.answer
    // Looks that come while it is asked get what was said before.
    const waits = (known?.waits ?? 0) + 1
    this.#put(key, { answer: known?.answer ?? asking, waits, askAt: this.#clock.now() + mostMs })
    const { answer, retryAfterMs } = await call()
    if (answer.status === 'wait') {
      const askAt = this.#clock.now() + webhookPause(waits, retryAfterMs, this.#random.next())
      this.#put(key, { answer, waits, askAt })
    } else this.#waiting.delete(key)
    return answer
  }

  #put(key: string, waiting: Waiting): void {
    this.#waiting.delete(key)
    this.#waiting.set(key, waiting)
    // Those that nobody asks of any more: the oldest are forgotten.
    for (const old of this.#waiting.keys()) {
      if (this.#waiting.size <= maxWaiting) break
      this.#waiting.delete(old)
    }
  }
}

const asking: GateAnswer = { status: 'wait', message: 'The webhook is being asked' }

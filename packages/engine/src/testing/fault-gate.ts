import type { LandfallError } from '@landfall/stack'

export interface FaultPoint {
  /** Position among all points since the gate was made, from 0. */
  index: number
  /** Such as `platform.compute.worker.route`. */
  call: string
  /** `after`: the effect is there, the answer is not yet. */
  side: 'before' | 'after'
}

export type Fault = { kind: 'kill' } | { kind: 'throw'; error: LandfallError }

/**
 * Every call through a port passes it twice. It may kill the process that calls (from then on no call of it ever goes
 * through or comes back), or throw: before the effect, or after it, which is a lost answer.
 */
export class FaultGate {
  points = 0
  killed = false
  readonly trace: string[] = []
  readonly #choose: (point: FaultPoint) => Fault | null

  constructor(choose: (point: FaultPoint) => Fault | null = () => null) {
    this.#choose = choose
  }

  async pass(call: string, side: 'before' | 'after'): Promise<void> {
    if (this.killed) return never()
    this.trace.push(`${side} ${call}`)
    const fault = this.#choose({ index: this.points++, call, side })
    if (fault?.kind === 'throw') throw fault.error
    if (fault?.kind !== 'kill') return
    this.killed = true
    return never()
  }

  /** The same port, with every call going through this gate. */
  through<T extends object>(port: T, name: string): T {
    return new Proxy(port, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target)
        const path = `${name}.${String(key)}`
        if (typeof value === 'function') {
          return async (...parameters: unknown[]) => {
            await this.pass(path, 'before')
            const answer: unknown = await Reflect.apply(value, target, parameters)
            await this.pass(path, 'after')
            return answer
          }
        }
        return typeof value === 'object' && value !== null ? this.through(value, path) : value
      },
    })
  }
}

function never(): Promise<never> {
  return new Promise(() => {})
}

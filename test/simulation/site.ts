import type { ComputeVersion, Platform, StepContext } from '@landfall/engine'
import { MemoryPlatform } from '@landfall/engine/testing'
import { LandfallError } from '@landfall/stack'
import { type Disk, emptyDisk } from './agent-memory.ts'
import type { Life, Scheduler } from './scheduler.ts'

/** How the environment misbehaves, each until an instant of true time. */
export interface Troubles {
  throttled: number
  /** Mutations take effect, and the answer comes after the step's deadline or never. */
  mute: number
  /** Looks show what was a moment ago. */
  stale: number
  /** Calls fail before they do anything. */
  away: number
}

/** A customer's environment, and the disk of the agent that lives there. */
export class Site {
  readonly id: string
  readonly platform: MemoryPlatform
  readonly disk: Disk = emptyDisk()
  readonly troubles: Troubles = { throttled: 0, mute: 0, stale: 0, away: 0 }
  /** Told of every version that is asked for. */
  onVersion: (worker: string, version: ComputeVersion) => void = () => {}
  readonly #scheduler: Scheduler
  readonly #seen = new Map<string, { at: number; value: unknown }>()

  constructor(id: string, scheduler: Scheduler, onChange: (what: string) => void) {
    this.id = id
    this.#scheduler = scheduler
    this.platform = new MemoryPlatform(scheduler.clockOf(null))
    const { log } = this.platform
    const push = log.push.bind(log)
    log.push = (...what) => {
      const length = push(...what)
      for (const one of what) onChange(one)
      return length
    }
  }

  /** The platform as one process reaches it: every call takes time, may be refused, late, or see an old picture. */
  reachedBy(life: Life, wrap: (platform: Platform) => Platform = (platform) => platform): Platform {
    return this.#through(life, wrap(this.platform), this.id) as Platform
  }

  #through(life: Life, target: object, path: string): object {
    return new Proxy(target, {
      get: (of, key) => {
        const value: unknown = Reflect.get(of, key, of)
        const name = `${path}.${String(key)}`
        if (typeof value === 'function')
          return (...given: unknown[]) =>
            this.#call(life, name, String(key), () => Reflect.apply(value, of, given), given)
        return typeof value === 'object' && value !== null ? this.#through(life, value, name) : value
      },
    })
  }

  async #call(
    life: Life,
    name: string,
    method: string,
    work: () => Promise<unknown>,
    given: unknown[],
  ): Promise<unknown> {
    const scheduler = this.#scheduler
    const { now } = scheduler
    const { troubles } = this
    const chance = scheduler.chance(`environment ${this.id} ${life.name}`)
    await scheduler.hop(life, chance.between(1, 12), `${name}>`)
    if (troubles.away > now && chance.of(0.5)) throw failure('E_PLATFORM_AWAY', 'The platform does not answer')
    if (troubles.throttled > now && chance.of(0.5)) throw failure('E_THROTTLED', 'Too many requests')
    if (method === 'observe' && troubles.stale > now) {
      const about = (given[0] as { name: string }).name
      const known = this.#seen.get(`${name} ${about}`)
      if (known && known.at > now - 400) return known.value
      const value = await work()
      this.#seen.set(`${name} ${about}`, { at: now, value })
      return value
    }
    if (method === 'ensureVersion') this.onVersion((given[0] as StepContext).name, given[1] as ComputeVersion)
    const value = await work()
    const mute = troubles.mute > now && method !== 'observe' && chance.of(0.3)
    await scheduler.hop(life, mute ? chance.between(1_000, 40_000) : chance.between(1, 12), `${name}<`)
    if (mute) throw failure('E_PLATFORM_TIMEOUT', 'No answer in time; what was asked may have been done')
    return value
  }
}

function failure(code: string, message: string): LandfallError {
  return new LandfallError({ code, message, hint: 'It is tried again by itself.', retryable: true })
}

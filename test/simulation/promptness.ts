import type { DeploymentState } from '@landfall/engine'
import type { Kind } from './releases.ts'
import type { Scheduler } from './scheduler.ts'
import type { Site } from './site.ts'
import type { Truth } from './truth.ts'

/** What has to be so at an instant, where nothing stood in the way until then. */
interface Due {
  deployment: string
  at: number
  invariant:
    | 'an abort moves traffic at once'
    | 'a crash loop fails before any deadline'
    | 'a failure in the window returns'
  /** What is wrong then; null: it is as it should be. */
  wrong: () => string | null
}

/** How long it may take, in milliseconds of true time: some looks, and far less than the deadline of a rollout. */
const allowed = {
  'an abort moves traffic at once': 6_000,
  'a crash loop fails before any deadline': 15_000,
  // The window itself, and a look.
  'a failure in the window returns': 13_000,
} as const

/**
 * Invariants that say how fast something is done. They are measured where nothing went wrong meanwhile: the lease of a killed manager
 * alone takes longer than they allow.
 */
export class Promptness {
  readonly #scheduler: Scheduler
  readonly #truth: Truth
  readonly #fail: (invariant: string, message: string) => void
  readonly #kindOf: (release: string) => Kind | undefined
  readonly #states = new Map<string, DeploymentState>()
  /** Until when something goes wrong, per deployment. */
  readonly #troubles = new Map<string, number>()
  #troubled = 0
  #dues: Due[] = []

  /** `kindOf`: the kind of a release, by its digest. */
  constructor(
    scheduler: Scheduler,
    truth: Truth,
    fail: (invariant: string, message: string) => void,
    kindOf: (release: string) => Kind | undefined,
  ) {
    this.#scheduler = scheduler
    this.#truth = truth
    this.#fail = fail
    this.#kindOf = kindOf
  }

  /** Something goes wrong until then, for one or for all: what is being measured is not measured to its end. */
  trouble(until: number, deployment?: string): void {
    if (deployment === undefined) this.#troubled = Math.max(this.#troubled, until)
    else this.#troubles.set(deployment, Math.max(until, this.#troubles.get(deployment) ?? 0))
    this.#dues = this.#dues.filter((due) => deployment !== undefined && due.deployment !== deployment)
  }

  /** After everything that happens: what is due is checked. */
  look(): void {
    const { now } = this.#scheduler
    if (!this.#dues.some(({ at }) => at <= now)) return
    for (const { deployment, invariant, wrong, at } of this.#dues) {
      if (at > now || !this.#measured(deployment)) continue
      const what = wrong()
      if (what !== null) this.#fail(invariant, `${deployment}: ${what}, ${allowed[invariant] / 1000} s ago`)
    }
    this.#dues = this.#dues.filter(({ at }) => at > now)
  }

  #measured(id: string): boolean {
    const { destroyed, revokedSince, skewed } = this.#truth
    const { now } = this.#scheduler
    const quiet = this.#troubled <= now && (this.#troubles.get(id) ?? 0) <= now
    return quiet && !skewed && !destroyed.has(id) && !revokedSince.has(id)
  }

  #expect(due: Omit<Due, 'at'>): void {
    if (this.#measured(due.deployment)) this.#dues.push({ ...due, at: this.#scheduler.now + allowed[due.invariant] })
  }

  /** A runner wrote down where a deployment stands. */
  persisted(id: string, next: DeploymentState, site: Site): void {
    const before = this.#states.get(id)
    this.#states.set(id, next)
    for (const [name, worker] of Object.entries(next.workers)) {
      const was = before?.workers[name]
      const lost = was?.candidate && worker.candidate !== was.candidate && worker.stable !== was.candidate
      const left = was?.stable && worker.stable !== was.stable && worker.stable === was.previous
      const given = lost ? was.candidate : left ? was.stable : null
      if (!given || !worker.stable) continue
      const shareOf = () => site.platform.workers.get(`x-${name}`)?.shares[given] ?? 0
      // Somebody may have asked for it again by then.
      const again = () => {
        const now = this.#states.get(id)?.workers[name]
        return now?.candidate === given || now?.stable === given
      }
      this.#expect({
        deployment: id,
        invariant: 'an abort moves traffic at once',
        wrong: () => (shareOf() > 0 && !again() ? `${name} has ${shareOf()}% on what was given up` : null),
      })
    }
    if (next.candidate && !before?.candidate)
      this.#dues = this.#dues.filter(
        (due) => due.deployment !== id || due.invariant !== 'a failure in the window returns',
      )
    const promoted =
      next.stable && before?.stable && before.candidate?.digest === next.stable.digest ? next.stable : null
    if (promoted && next.previous && this.#kindOf(promoted.release) === 'late')
      this.#expect({
        deployment: id,
        invariant: 'a failure in the window returns',
        wrong: () =>
          this.#states.get(id)?.stable?.digest === promoted.digest
            ? 'rests on what crashed in its window, promoted'
            : null,
      })
  }

  /** A version was started in an environment. */
  started(id: string, version: string): void {
    if (this.#truth.kinds.get(version) !== 'crashing') return
    const tried = this.#states.get(id)?.candidate?.digest
    this.#expect({
      deployment: id,
      invariant: 'a crash loop fails before any deadline',
      wrong: () =>
        tried !== undefined && this.#states.get(id)?.candidate?.digest === tried
          ? `${version} is still tried, which crashed at its start`
          : null,
    })
  }
}

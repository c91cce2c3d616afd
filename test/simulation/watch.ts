import type { ComputeVersion, DeploymentState, StateStore, Target } from '@landfall/engine'
import type { Database } from './database.ts'
import { FleetWatch, nameOf } from './fleet-watch.ts'
import { Promptness } from './promptness.ts'
import { bakes, behaviourOf, firstShare, isBad, scale } from './releases.ts'
import type { Scheduler } from './scheduler.ts'
import type { Cast } from './script.ts'
import type { Site } from './site.ts'
import type { Truth } from './truth.ts'

export interface Violation {
  invariant: string
  message: string
  /** Milliseconds of true time. */
  at: number
}

interface Share {
  share: number
  since: number
}

/** Checks the invariants at everything that happens; keeps the first violation. */
export class Watch {
  violation: Violation | null = null
  readonly promptness: Promptness
  readonly fleet: FleetWatch
  readonly #scheduler: Scheduler
  readonly #truth: Truth
  readonly #db: Database
  readonly #cast: Cast
  readonly #start: number
  readonly #epochs = new Map<string, { epoch: number; until: number; released: boolean }>()
  readonly #shares = new Map<string, Map<string, Share>>()
  readonly #stood = new Map<string, Set<string>>()
  readonly #frozen = new Map<string, string>()

  constructor(scheduler: Scheduler, truth: Truth, db: Database, cast: Cast) {
    this.#scheduler = scheduler
    this.#truth = truth
    this.#db = db
    this.#cast = cast
    this.#start = scheduler.now
    const fail = (invariant: string, message: string) => this.fail(invariant, message)
    this.promptness = new Promptness(scheduler, truth, fail, (digest) => db.releases.get(digest)?.kind)
    this.fleet = new FleetWatch({ scheduler, truth, db, fail })
  }

  fail(invariant: string, message: string): void {
    this.violation ??= { invariant, message, at: this.#scheduler.now - this.#start }
  }

  /** Beside the store itself, so that it sees each call at the instant at which it takes effect. */
  store(inner: StateStore, site: (id: string) => Site): StateStore {
    return {
      claim: async (owner, ttlMs, deployment) => {
        const claimed = await inner.claim(owner, ttlMs, deployment)
        if (claimed) this.#claimed(claimed.lease)
        return claimed
      },
      renew: async (lease, ttlMs) => {
        const renewed = await inner.renew(lease, ttlMs)
        this.#current(lease, 'renewed')
        const known = this.#epochs.get(lease.deployment)
        if (known) known.until = this.#scheduler.now + ttlMs
        return renewed
      },
      desired: (lease) => inner.desired(lease),
      persist: async (lease, state, events) => {
        await inner.persist(lease, state, events)
        this.#current(lease, 'persisted')
        this.#state(lease.deployment, state, site(lease.deployment))
      },
      release: async (lease, outcome) => {
        await inner.release(lease, outcome)
        this.#current(lease, 'released')
        const known = this.#epochs.get(lease.deployment)
        if (known) known.released = true
      },
    }
  }

  #claimed(lease: { deployment: string; epoch: number; expiresAt: number }): void {
    const known = this.#epochs.get(lease.deployment)
    if (known && lease.epoch <= known.epoch)
      this.fail('epochs rise', `${lease.deployment} got epoch ${lease.epoch} twice`)
    const held = known && !known.released && known.until > this.#scheduler.now
    if (held && !this.#truth.skewed && !this.#agents.has(lease.deployment))
      this.fail('one holder at a time', `${lease.deployment} was claimed while its lease ran`)
    this.#epochs.set(lease.deployment, { epoch: lease.epoch, until: this.#scheduler.now + 15_000, released: false })
  }

  /** An agent's restart frees its lease: it has one process, under a lock. */
  get #agents(): Set<string> {
    return new Set(this.#cast.deployments.filter(({ model }) => model !== 'push').map(({ id }) => id))
  }

  #current(lease: { deployment: string; epoch: number }, what: string): void {
    const known = this.#epochs.get(lease.deployment)
    if (known && lease.epoch !== known.epoch)
      this.fail(
        'only the current epoch persists',
        `${lease.deployment}: epoch ${lease.epoch} ${what} under ${known.epoch}`,
      )
  }

  readonly #states = new Map<string, DeploymentState>()

  #state(id: string, state: DeploymentState, site: Site): void {
    const before = this.#states.get(id)
    const next = state
    this.#states.set(id, next)
    this.promptness.persisted(id, next, site)
    if (next.candidate && next.candidate.digest !== before?.candidate?.digest) this.#begun(id, before, next.candidate)
    if (next.stable?.digest !== before?.stable?.digest) {
      this.#settled(id, before, next, site)
      this.fleet.rests(id, next.stable?.digest ?? null)
    }
    if (next.stable)
      (this.#truth.rested.get(id) ?? this.#truth.rested.set(id, new Set()).get(id))?.add(next.stable.digest)
  }

  #begun(id: string, before: DeploymentState | undefined, target: Target): void {
    const known = [before?.stable, before?.previous, ...(before?.history ?? [])]
    const wasStable = known.some((one) => one?.digest === target.digest)
    const row = this.#db.deployment(id)
    if (!row.told.some((told) => told.target.digest === target.digest))
      this.fail('only told targets', `${id} brings ${this.#name(target)}, which it was never told`)
    const { consent } = this.#cast.deployments.find((one) => one.id === id) ?? { consent: 'automatic' }
    if (consent !== 'automatic' && !wasStable) {
      const approval = this.#truth.approved.get(id)?.get(target.digest)
      if (!approval || (consent === 'agent' && approval !== 'agent'))
        this.fail(
          'an approval lets only its target in',
          `${id} brings ${this.#name(target)}; ${approval ? 'approved in the portal alone' : 'nobody approved it'}`,
        )
    }
    const release = this.#db.releases.get(target.release)
    const sameRelease = known.some((one) => one?.release === target.release)
    if (release && before && release.sequence < before.sequence && !sameRelease)
      this.fail('no downgrade', `${id} brings ${release.version}, older than what was stable`)
  }

  #settled(id: string, before: DeploymentState | undefined, next: DeploymentState, site: Site): void {
    const target = next.stable
    if (!target) return
    const promoted = before?.candidate?.digest === target.digest
    const returned = [before?.previous, ...(before?.history ?? [])].some((one) => one?.digest === target.digest)
    const untouched = Object.entries(next.workers).every(
      ([name, worker]) => worker.stable === before?.workers[name]?.stable,
    )
    if (!promoted && !returned && !untouched) {
      this.fail(
        'stable is the last promoted',
        `${id} rests on ${this.#name(target)}, which was neither candidate nor stable`,
      )
      return
    }
    if (!promoted || !before?.stable) return
    const kindOf = ({ release }: Target) => this.#db.releases.get(release)?.kind
    const kind = kindOf(target)
    // Against a stable that answers with as many errors it is no worse.
    const asBad = kind === 'errors' && kindOf(before.stable) === kind
    if (kind && isBad(kind) && !asBad)
      this.fail('a bad release is not promoted', `${id} promoted ${this.#name(target)}, which is ${kind}`)
    const changed = Object.entries(next.workers).filter(
      ([name, worker]) => worker.stable !== before.workers[name]?.stable,
    )
    const { traffic } = this.#cast.deployments.find((one) => one.id === id) ?? { traffic: true }
    const rolled = changed.some(([name]) => before.workers[name]?.stable)
    if (!traffic && rolled && !this.#truth.unmeasured.has(id) && !this.calm)
      this.fail('no data is not success', `${id} promoted ${this.#name(target)} without a request`)
    for (const [name, worker] of changed) {
      const share = worker.stable ? (site.platform.workers.get(`x-${name}`)?.shares[worker.stable] ?? 0) : 100
      if (share !== 100) this.fail('promotion is read back', `${id}: ${name} was promoted at ${share}%`)
    }
  }

  /** From here on environments without traffic get some. */
  calm = false

  /** Something changed in an environment. */
  changed(site: Site, what: string): void {
    const { platform, id } = site
    this.#sites.set(id, site)
    const { now } = this.#scheduler
    const since = this.#truth.revokedSince.get(id)
    if (since !== undefined && now - since > 100_000)
      this.fail(
        'revoked access is obeyed',
        `${id}: ${what}, although access was revoked ${Math.round((now - since) / 1000)} s ago`,
      )
    for (const [key, times] of platform.made)
      if (times > 1) this.fail('nothing is made twice', `${id} made ${key} ${times} times`)
    const started = /^start x-\w+ (.+)$/.exec(what)?.[1]
    if (started) this.promptness.started(id, started)
    this.#checkFrozen(site)
    for (const name of Object.keys(scale) as (keyof typeof scale)[]) {
      const worker = platform.workers.get(`x-${name}`)
      if (!worker) {
        this.#shares.delete(`${id}/${name}`)
        continue
      }
      const total = [...worker.versions.values()].reduce((sum, { instances }) => sum + instances, 0)
      if (total > scale[name] + 1) this.fail('capacity', `${id}: ${name} has ${total} instances of ${scale[name]}`)
      this.#checkAvailable(site, name, what)
      this.#checkShares(site, name, what)
    }
  }

  /** A version is about to be made or scaled. Names hide what is made twice, so that one target must never have two of them. */
  asked(id: string, name: string, version: ComputeVersion): void {
    const key = `${id}/${name} ${version.release.digest} ${version.config.digest}`
    const known = this.#versions.get(key) ?? version.id
    this.#versions.set(key, known)
    if (known !== version.id)
      this.fail('nothing is made twice', `${id}: ${name} of ${version.release.version} has two versions for one config`)
  }

  readonly #versions = new Map<string, string>()

  #checkFrozen({ id, platform }: Site): void {
    for (const [name, thing] of platform.things) {
      const extra = /^x-more(\d+)$/.exec(name)
      if (!extra && name !== 'x-files') continue
      if (extra && Number(extra[1]) >= (this.#truth.setups.get(id) ?? 0))
        this.fail('frozen is made by a setup alone', `${id} has ${name}, which its customer never approved`)
      const known = this.#frozen.get(`${id}/${name}`)
      if (known && known !== thing.spec) this.fail('frozen is never changed', `${id}: ${name} was changed`)
      if (thing.spec !== '') this.#frozen.set(`${id}/${name}`, thing.spec)
    }
    for (const key of [...this.#frozen.keys()]) {
      const [owner, name] = key.split('/')
      if (owner !== id || platform.things.has(name ?? '')) continue
      this.#frozen.delete(key)
      if (!this.#truth.destroyed.has(id)) this.fail('frozen is never changed', `${id}: ${name} was removed`)
    }
  }

  /** For how many milliseconds a release has served everything of a worker; null: it does not. */
  servesAllMs(id: string, worker: string, version: string): number | null {
    const made = this.#sites.get(id)?.platform.workers.get(`x-${worker}`)?.versions
    for (const [digest, { share, since }] of this.#shares.get(`${id}/${worker}`) ?? [])
      if (share >= 100 && made?.get(digest)?.release === version) return this.#scheduler.now - since
    return null
  }

  readonly #sites = new Map<string, Site>()

  readonly #available = new Map<string, number>()

  /** What serves is never fewer than the plan demands, by whatever was changed: no plan here allows any to be missing. */
  #checkAvailable({ id, platform }: Site, name: keyof typeof scale, what: string): void {
    const { now } = this.#scheduler
    const key = `${id}/${name}`
    const served = [...(this.#shares.get(key)?.values() ?? [])].reduce((sum, { share }) => sum + share, 0)
    const leaving = this.#db.deployment(id).operation === 'destroy' || !this.#states.get(id)?.stable
    // After a crash, or on a release that crashed after its window, there is nothing to keep.
    if (served < 100 || leaving || now - (this.#truth.crashedAt.get(id) ?? 0) < 10_000) return
    const versions = [...(platform.workers.get(`x-${name}`)?.versions.values() ?? [])]
    const kindOf = (release: string) => this.#truth.kinds.get(release) ?? 'good'
    if (versions.some(({ release }) => kindOf(release) === 'late')) return
    const available = versions.reduce((sum, { release, instances, startedAt }) => {
      const { readyAfterMs = 200, failing } = behaviourOf(kindOf(release))
      return readyAfterMs === null || failing || now - startedAt < readyAfterMs ? sum : sum + instances
    }, 0)
    const before = this.#available.get(key) ?? 0
    this.#available.set(key, available)
    // A candidate that was given up goes whole, before stable grows again (docs/reliability.md, "Seen, and left").
    const worker = this.#states.get(id)?.workers[name]
    const kept = [worker?.stable, worker?.candidate, worker?.previous]
    const gone = /@(\w+)$/.exec(what)?.[1]
    const givenUp = what.startsWith('remove') && !kept.some((version) => version?.slice(7, 15) === gone)
    if (available < scale[name] && available < before && !givenUp)
      this.fail('enough instances are available', `${key}: ${what} left ${available} of ${scale[name]}`)
  }

  #checkShares(site: Site, name: keyof typeof scale, what: string): void {
    const { id, platform } = site
    const { now } = this.#scheduler
    const worker = platform.workers.get(`x-${name}`)
    if (!worker) return
    const key = `${id}/${name}`
    const before = this.#shares.get(key) ?? new Map<string, Share>()
    const stood = this.#stood.get(key) ?? new Set<string>()
    const after = new Map<string, Share>()
    const measured = !this.#truth.unmeasured.has(id) && !this.#truth.skewed
    for (const [version, share] of Object.entries(worker.shares)) {
      if (share <= 0) continue
      const was = before.get(version)
      after.set(version, was?.share === share ? was : { share, since: now })
      if (was && was.share >= share) continue
      const made = worker.versions.get(version)
      const kind = made ? this.#truth.kinds.get(made.release) : undefined
      if (!made || !kind) {
        this.fail('capacity before traffic', `${key}: ${share}% went to a version that is not there`)
        continue
      }
      const { readyAfterMs = 200, failing } = behaviourOf(kind)
      const ready = readyAfterMs !== null && !failing && now - made.startedAt >= readyAfterMs
      const calm = now - (this.#truth.crashedAt.get(id) ?? 0) > 10_000
      const needed = stood.has(version) ? 1 : Math.ceil((scale[name] * share) / 100 - 1e-9)
      if (calm && before.size > 0 && (!ready || made.instances < needed))
        this.fail(
          'capacity before traffic',
          `${key}: ${share}% went to ${made.release} with ${ready ? made.instances : 0} of ${needed} instances`,
        )
      if (before.size === 0 || stood.has(version) || !measured) continue
      if (!was && share > firstShare) this.fail('begins at step 0', `${key}: ${made.release} began with ${share}%`)
      const bake = was ? bakes.get(was.share) : undefined
      if (was && bake !== undefined && now - was.since < bake)
        this.fail(
          'bakes are held',
          `${key}: ${made.release} went from ${was.share}% to ${share}% after ${now - was.since} ms`,
        )
    }
    const sum = [...after.values()].reduce((all, { share }) => all + share, 0)
    const row = this.#db.deployment(id)
    const leaving = row.operation === 'destroy' || this.#states.get(id)?.stable === null
    if (before.size > 0 && Math.round(sum) !== 100 && !leaving)
      this.fail('everything is served', `${key}: ${what} left ${sum}%`)
    for (const [version, { share }] of after) if (share >= 100) stood.add(version)
    this.#stood.set(key, stood)
    this.#shares.set(key, after)
  }

  #name(target: Target): string {
    return nameOf(this.#db, target)
  }
}

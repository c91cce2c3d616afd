import { type Digest, LandfallError } from '@landfall/stack'
import { type LoadedTarget, type LoadProblem, loadedTarget, type Targets } from '../plan/targets.ts'
import type { Desired, Target, VerifiedRelease } from '../ports/desired.ts'
import type { ConfigSource, Verifier } from '../ports/sources.ts'
import type { DeploymentState } from '../state/deployment-state.ts'

const retryProblemMs = 5_000

/**
 * Loads and proves the targets that matter now. Nothing is used that did not pass the verifier in this session with the trust
 * that the deployment has now; the result is kept for the session.
 */
export class Loader {
  readonly #verifier: Verifier
  readonly #config: ConfigSource
  readonly #loaded = new Map<Digest, LoadedTarget>()
  readonly #problems = new Map<Digest, LoadProblem & { at: number }>()
  #setup: { release: VerifiedRelease | null; digest: Digest | null; problem: (LoadProblem & { at: number }) | null } = {
    release: null,
    digest: null,
    problem: null,
  }
  #trust = ''
  /** Something has come since it was asked for. */
  #came = false
  #tell: () => void = () => {}

  constructor(verifier: Verifier, config: ConfigSource) {
    this.#verifier = verifier
    this.#config = config
  }

  async targets(desired: Desired, state: DeploymentState | null, now: number): Promise<Targets> {
    const trust = JSON.stringify(desired.policy.trustedKeys)
    if (trust !== this.#trust) {
      this.#loaded.clear()
      this.#problems.clear()
      this.#setup = { release: null, digest: null, problem: null }
      this.#trust = trust
    }
    // Here, not when it comes: what is decided by must not change under a turn.
    if (this.#came) this.#forgetPassing()
    const known = [desired.target, state?.stable, state?.candidate, state?.previous, ...targetsOfVersions(state)]
    for (const target of known) if (target) await this.#load(target, desired, now)
    if (desired.setup) await this.#loadSetup(desired.setup.release, desired, now)
    return {
      loaded: this.#loaded,
      problems: this.#problems,
      setup: desired.setup ? this.#setup.release : null,
      setupProblem: desired.setup ? this.#setup.problem : null,
    }
  }

  /** Resolves when something that could not be loaded has come: it is worth a look now. */
  arrival(): Promise<void> {
    if (this.#came) return Promise.resolve()
    return new Promise((resolve) => {
      this.#tell = resolve
    })
  }

  /** By target digest; undefined where it is not loaded. */
  get(target: Target | null): LoadedTarget | undefined {
    return target ? this.#loaded.get(target.digest) : undefined
  }

  async #load(target: Target, desired: Desired, now: number): Promise<void> {
    if (this.#loaded.has(target.digest) || isFresh(this.#problems.get(target.digest), now)) return
    try {
      const release = await this.#verifier.load(target.release, desired.policy.trustedKeys, desired.deployment)
      const config = await this.#config.load(target.config, desired.deployment)
      this.#loaded.set(target.digest, loadedTarget(target, release, config))
      this.#problems.delete(target.digest)
    } catch (error) {
      this.#problems.set(target.digest, { ...problemOf(error), at: now })
      this.#listen()
    }
  }

  async #loadSetup(digest: Digest, desired: Desired, now: number): Promise<void> {
    if (this.#setup.digest === digest && (this.#setup.release || isFresh(this.#setup.problem, now))) return
    try {
      const release = await this.#verifier.load(digest, desired.policy.trustedKeys, desired.deployment)
      this.#setup = { release, digest, problem: null }
    } catch (error) {
      this.#setup = { release: null, digest, problem: { ...problemOf(error), at: now } }
      this.#listen()
    }
  }

  #listen(): void {
    void this.#verifier.arriving?.()?.then(() => {
      this.#came = true
      this.#tell()
    })
  }

  /** What may be tried again is, without its pause. */
  #forgetPassing(): void {
    this.#came = false
    for (const [digest, { retryable }] of this.#problems) if (retryable) this.#problems.delete(digest)
    if (this.#setup.problem?.retryable) this.#setup = { release: null, digest: null, problem: null }
  }
}

/** What is on its way out may have to shrink before it is gone. */
function targetsOfVersions(state: DeploymentState | null): Target[] {
  return Object.values(state?.workers ?? {}).flatMap(({ versions }) =>
    Object.values(versions ?? {}).map(({ target }) => target),
  )
}

function isFresh(problem: { at: number; retryable: boolean } | null | undefined, now: number): boolean {
  return problem !== null && problem !== undefined && (!problem.retryable || now - problem.at < retryProblemMs)
}

/** Errors that are not ours are an outage of the source, not a verdict about the release. */
function problemOf(error: unknown): LoadProblem {
  if (error instanceof LandfallError) return { code: error.code, message: error.message, retryable: error.retryable }
  return { code: 'E_SOURCE_UNAVAILABLE', message: 'The release or its config can not be read now', retryable: true }
}

import type { Invoker } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import type { CommandWatch } from './command-watch.ts'
import type { Life, Scheduler } from './scheduler.ts'
import type { Site } from './site.ts'
import type { Truth } from './truth.ts'

/** What a simulated worker does with a call. */
export const works = ['quick', 'quick', 'long', 'long', 'refuses', 'flaky', 'hangs'] as const
export type Work = (typeof works)[number]

interface Deps {
  scheduler: Scheduler
  truth: Truth
  watch: CommandWatch
  site: Site
  /** The process that calls. */
  life: Life
}

/**
 * The way of one process to the workers of an environment: a call that was sent arrives, whatever becomes of the sender; the worker
 * takes its time, writes lines, and may have worked although no answer comes.
 */
export const createInvoker = (deps: Deps): Invoker => ({
  async invoke({ signal }, call, onOutput) {
    const { scheduler, truth, watch, site, life } = deps
    const chance = scheduler.chance(`worker ${site.id} ${call.id} ${call.attempt}`)
    const hop = (ms: number, what: string) => scheduler.hop(null, ms, `${site.id} command ${what}`)
    const failure = async (code: string, message: string) => {
      await scheduler.hop(life, chance.between(1, 12), `${site.id} command !`)
      return new LandfallError({ code, message, hint: 'It is tried again by itself.', retryable: true })
    }
    const { work } = call.input as { work: Work }
    watch.began(site, life, call)
    await hop(chance.between(1, 12), '>')
    const begunAt = scheduler.now
    if (site.troubles.away > begunAt) throw await failure('E_PLATFORM_AWAY', 'The platform does not answer')
    if (work === 'flaky' && call.attempt < 3) throw await failure('E_COMMAND_UNREACHABLE', 'The worker broke off')
    const lines = work === 'long' ? chance.between(4, 16) : work === 'hangs' ? 500 : 1
    for (let line = 1; line <= lines; line++) {
      await hop(work === 'long' || work === 'hangs' ? chance.between(500, 4_000) : chance.between(50, 500), '.')
      // Its caller has gone: some workers notice, others go on.
      if (signal.aborted && (work === 'hangs' || chance.of(0.5))) throw await failure('E_GONE', 'It broke off')
      if ((truth.crashedAt.get(site.id) ?? 0) >= begunAt) throw await failure('E_CRASHED', 'The worker went down')
      if (work !== 'hangs')
        scheduler.after(0, life, `${site.id} line`, () => onOutput(`line ${line} of attempt ${call.attempt}\n`))
    }
    const refusal = { ok: false, error: { code: 'E_REFUSED', message: 'There is nothing to do' } } as const
    const answer = { ok: true, output: { id: call.id, attempt: call.attempt } } as const
    watch.done(site, call, work === 'refuses' ? null : answer.output)
    const mute = site.troubles.mute > scheduler.now && chance.of(0.3)
    await scheduler.hop(life, mute ? chance.between(1_000, 40_000) : chance.between(1, 12), `${site.id} command <`)
    if (mute) throw await failure('E_PLATFORM_TIMEOUT', 'No answer in time; what was asked may have been done')
    return work === 'refuses' ? refusal : answer
  },
})

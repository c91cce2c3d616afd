import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Island } from './island.ts'

export interface TrafficTarget {
  name: string
  url: string
}

export interface Answer {
  target: string
  at: number
  /** 0: no answer came. */
  status: number
  /** From the router's `landfall-version` header. */
  version: string
  ms: number
}

/** Live HTTP traffic on every deployment, with every answer kept. */
export class Traffic {
  readonly answers: Answer[] = []
  readonly #children: ChildProcess[] = []

  /** Requests a second to each of the targets from now on; `inside` says where from, for those that can't be reached from here. */
  send(targets: readonly TrafficTarget[], perSecond: number, inside?: Island): void {
    const argv = [
      process.execPath,
      join(import.meta.dirname, 'traffic-child.ts'),
      JSON.stringify({ targets, perSecond }),
    ]
    const [command, args] = inside ? inside.inside(argv) : [process.execPath, argv.slice(1)]
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    child.on('message', (answers) => this.answers.push(...(answers as Answer[])))
    this.#children.push(child)
  }

  since(at: number): Answer[] {
    return this.answers.filter((answer) => answer.at >= at)
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#children.splice(0).map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
        child.send('stop')
        await ended
      }),
    )
  }
}

/** Percent of a target's answers since `at` that a version gave. */
export function shareOf(answers: readonly Answer[], target: string, version: string): number {
  const own = answers.filter((answer) => answer.target === target)
  return own.length === 0 ? 0 : (100 * own.filter((answer) => answer.version === version).length) / own.length
}

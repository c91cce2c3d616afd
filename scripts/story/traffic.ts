import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

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
  readonly #worker: Worker

  constructor(targets: readonly TrafficTarget[], perSecond: number) {
    this.#worker = new Worker(join(import.meta.dirname, 'traffic-worker.ts'), { workerData: { targets, perSecond } })
    this.#worker.on('message', (answers: Answer[]) => this.answers.push(...answers))
  }

  since(at: number): Answer[] {
    return this.answers.filter((answer) => answer.at >= at)
  }

  async stop(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()))
    this.#worker.postMessage('stop')
    await ended
  }
}

/** Percent of a target's answers since `at` that a version gave. */
export function shareOf(answers: readonly Answer[], target: string, version: string): number {
  const own = answers.filter((answer) => answer.target === target)
  return own.length === 0 ? 0 : (100 * own.filter((answer) => answer.version === version).length) / own.length
}

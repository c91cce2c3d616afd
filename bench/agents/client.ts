import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Done, Order } from './client-child.ts'

/** The agents' side of a benchmark, in a process of its own. */
export function startClient() {
  const child: ChildProcess = fork(join(import.meta.dirname, 'client-child.ts'), { stdio: 'inherit' })
  let heard: (done: Done) => void = () => {}
  let lost: (error: Error) => void = () => {}
  child.on('message', (done: Done) => heard(done))
  child.on('exit', () => lost(new Error('the clients have ended before their time')))
  const answer = async <K extends Done['done']>(kind: K): Promise<Extract<Done, { done: K }>> => {
    const done = await new Promise<Done>((resolve, reject) => {
      heard = resolve
      lost = reject
    })
    if (done.done !== kind) throw new Error(`expected ${kind}, got ${done.done}`)
    return done as Extract<Done, { done: K }>
  }
  return {
    say: async <K extends Done['done']>(order: Order, kind: K) => {
      const answered = answer(kind)
      child.send(order)
      return answered
    },
    answer,
    stop: async () => {
      if (child.exitCode !== null) return
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}

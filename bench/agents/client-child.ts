/** The agents' side of a benchmark, in a process of its own: one connection an agent. Told what to do by messages of its parent. */
import { ownTime } from '../shared/processor-time.ts'
import { Connection, syncBytes } from './connection.ts'

export type Order =
  | { do: 'open'; port: number; tokens: readonly string[]; known: number }
  /** Polls on every connection, one after the other, for so long. */
  | { do: 'poll'; port: number; ms: number }
  /** One held sync on every connection. */
  | { do: 'wait'; seconds: number }
export type Done =
  | { done: 'open' | 'held' }
  | { done: 'poll'; polls: number; ms: number; failed: number }
  /** When each had a higher generation, by the clock of the machine; how many had none; processor seconds since all were held. */
  | { done: 'told'; at: number[]; failed: number; busy: number }

const opened = new Map<number, Connection[]>()
let given: { port: number; tokens: readonly string[]; known: number } = { port: 0, tokens: [], known: 0 }
const say = (done: Done) => process.send?.(done)

async function connections(port: number): Promise<Connection[]> {
  const there = opened.get(port)
  if (there) return there
  const made: Connection[] = []
  for (let from = 0; from < given.tokens.length; from += 200) {
    const some = given.tokens.slice(from, from + 200)
    const lost = (error: Error) => {
      console.error(`bench client: ${error.message}`)
      process.exit(1)
    }
    made.push(...(await Promise.all(some.map(() => Connection.open(port, lost)))))
  }
  opened.set(port, made)
  return made
}

async function poll(port: number, ms: number): Promise<void> {
  const all = await connections(port)
  const bytes = given.tokens.map((token) => syncBytes(port, token, { known: given.known, wait: 0, commandRoom: 4 }))
  const began = performance.now()
  let polls = 0
  let failed = 0
  await Promise.all(
    all.map(
      (connection, index) =>
        new Promise<void>((resolve) => {
          const next = () =>
            connection.send(bytes[index] ?? Buffer.alloc(0), (status) => {
              polls += 1
              if (status !== 200) failed += 1
              if (performance.now() - began < ms) next()
              else resolve()
            })
          next()
        }),
    ),
  )
  say({ done: 'poll', polls, ms: performance.now() - began, failed })
}

async function wait(seconds: number): Promise<void> {
  const all = await connections(given.port)
  const at: number[] = []
  let failed = 0
  const told = all.map(
    (connection, index) =>
      new Promise<void>((resolve) => {
        const body = { known: given.known, wait: seconds, commandRoom: 4 }
        connection.send(syncBytes(given.port, given.tokens[index] ?? '', body), (status, answer) => {
          if (status === 200 && answer.includes('landfall.dev/order/v1')) at.push(Date.now())
          else failed += 1
          resolve()
        })
      }),
  )
  say({ done: 'held' })
  const before = ownTime()
  await Promise.all(told)
  say({ done: 'told', at, failed, busy: ownTime() - before })
}

process.on('message', async (order: Order) => {
  if (order.do === 'open') {
    given = order
    await connections(order.port)
    say({ done: 'open' })
  } else if (order.do === 'poll') await poll(order.port, order.ms)
  else await wait(order.seconds)
})
process.on('disconnect', () => process.exit(0))

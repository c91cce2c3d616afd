import type { AgentState } from '../../packages/agent/src/state/agent-state.ts'

/** What is on an agent's disk: outlives its processes. */
export interface Disk {
  values: Map<string, string>
  /** Values as they were read last, with the text they were read from: most are read many times between two writes. */
  read: Map<string, { text: string; value: unknown }>
  records: Map<string, { number: number; text: string }[]>
}

export const emptyDisk = (): Disk => ({ values: new Map(), read: new Map(), records: new Map() })

/**
 * The agent's sealed state without the sealing: values and logs on a simulated disk, transactions whole or not at all. `onCommit` is
 * called before a commit becomes durable and after; where it throws, the process is taken to be killed there. A life that is over
 * can read and write nothing.
 */
export function openMemory(
  disk: Disk,
  isDead: () => boolean,
  onCommit: (side: 'before' | 'after') => void,
): AgentState {
  let undo: (() => void)[] | null = null
  const alive = () => {
    if (isDead()) throw new Error('this process is dead')
  }
  const transaction = <T>(work: () => T): T => {
    alive()
    if (undo) return work()
    const undone: (() => void)[] = []
    undo = undone
    let result: T
    try {
      result = work()
      onCommit('before')
    } catch (error) {
      for (const back of undone.reverse()) back()
      undo = null
      throw error
    }
    undo = null
    onCommit('after')
    return result
  }
  const set = (name: string, text: string | undefined) =>
    transaction(() => {
      const before = disk.values.get(name)
      undo?.push(() => (before === undefined ? disk.values.delete(name) : disk.values.set(name, before)))
      if (text === undefined) disk.values.delete(name)
      else disk.values.set(name, text)
    })
  const state = {
    get: (name: string) => {
      alive()
      const text = disk.values.get(name)
      if (text === undefined) return undefined
      const known = disk.read.get(name)
      if (known?.text === text) return known.value
      const value = frozen(JSON.parse(text) as unknown)
      disk.read.set(name, { text, value })
      return value
    },
    put: (name: string, value: unknown) => set(name, JSON.stringify(value)),
    delete: (name: string) => set(name, undefined),
    names: (prefix: string) => [...disk.values.keys()].filter((name) => name.startsWith(prefix)).sort(),
    append: (log: string, number: number, record: unknown) =>
      transaction(() => {
        const list = disk.records.get(log) ?? []
        disk.records.set(log, list)
        if (list.at(-1)?.number === number) throw new Error(`${log} has an entry ${number} already`)
        list.push({ number, text: JSON.stringify(record) })
        undo?.push(() => list.pop())
      }),
    records: (log: string, after: number, limit: number) => {
      alive()
      const list = disk.records.get(log) ?? []
      return list
        .filter(({ number }) => number > after)
        .slice(0, limit)
        .map(({ number, text }) => ({ number, record: JSON.parse(text) as unknown }))
    },
    transaction,
    close: () => {},
  }
  // A class with private members can't be implemented by an object; what the agent's parts call of it is all here.
  return state as unknown as AgentState
}

/** Whoever changes in place what others are handed as well is thrown at. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) frozen(member)
  return Object.freeze(value)
}

import type { Clock, Log } from '@landfall/engine'
import type { Database } from '../store/database.ts'
import { cursorText, resumable } from './cursor.ts'
import { currentSnapshot, type FeedChange, readChanges } from './read-changes.ts'

/** What a reader of one project gets: changes with where to resume behind them, or word that it has to read everything. */
export type FeedMessage =
  | { kind: 'changes'; changes: readonly FeedChange[]; cursor: string }
  | { kind: 'reset'; cursor: string }

/**
 * Reads the change feed once for all clients of this process. `poll` is called on a wake-up and at an interval; what it
 * finds is handed to the listeners of each project.
 */
export class ChangeFeed {
  readonly #db: Database
  readonly #clock: Clock
  readonly #log: Log
  readonly #listeners = new Map<string, Set<(message: FeedMessage) => void>>()
  #snapshot: string | null = null
  #polling: Promise<void> | null = null
  #again = false

  constructor(deps: { db: Database; clock: Clock; log: Log }) {
    this.#db = deps.db
    this.#clock = deps.clock
    this.#log = deps.log
  }

  get listeners(): number {
    return [...this.#listeners.values()].reduce((sum, set) => sum + set.size, 0)
  }

  /**
   * Listens to a project from now, and to what happened since `lastEventId` where that can still be told. A change may come
   * twice around the seam, never not at all.
   */
  async listen(
    project: string,
    lastEventId: string | null,
    listener: (message: FeedMessage) => void,
  ): Promise<() => void> {
    this.#snapshot ??= await currentSnapshot(this.#db)
    const set = this.#listeners.get(project) ?? new Set()
    this.#listeners.set(project, set.add(listener))
    const stop = () => {
      set.delete(listener)
      if (set.size === 0) this.#listeners.delete(project)
    }
    try {
      await this.#catchUp(project, lastEventId, listener)
    } catch (error) {
      stop()
      throw error
    }
    return stop
  }

  /** Reads what is new; calls while one runs become one more run. Never rejects. */
  poll(): Promise<void> {
    this.#again = true
    this.#polling ??= this.#run().finally(() => {
      this.#polling = null
    })
    return this.#polling
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false
      try {
        await this.#read()
      } catch (error) {
        this.#log.warn('The change feed could not be read', {
          error: error instanceof Error ? error.message : String(error),
        })
        return
      }
    }
  }

  async #read(): Promise<void> {
    if (this.#listeners.size === 0) {
      this.#snapshot = null
      return
    }
    const since = this.#snapshot ?? (await currentSnapshot(this.#db))
    const { changes, snapshot } = await readChanges(this.#db, since)
    this.#snapshot = snapshot
    const cursor = cursorText(this.#clock.now(), snapshot)
    for (const [project, found] of Map.groupBy(changes, (change) => change.project)) {
      for (const listener of this.#listeners.get(project) ?? []) listener({ kind: 'changes', changes: found, cursor })
    }
  }

  async #catchUp(project: string, lastEventId: string | null, listener: (message: FeedMessage) => void): Promise<void> {
    const since = resumable(lastEventId, this.#clock.now())
    if (since !== null) {
      const { changes, snapshot } = await readChanges(this.#db, since, project)
      listener({ kind: 'changes', changes, cursor: cursorText(this.#clock.now(), snapshot) })
    } else if (lastEventId !== null) {
      listener({ kind: 'reset', cursor: cursorText(this.#clock.now(), await currentSnapshot(this.#db)) })
    }
  }
}

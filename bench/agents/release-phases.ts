import pg from 'pg'

/** Instants by the clock of the machine; NaN: has not been. */
export interface Phases {
  /** The last transaction that tells deployments is committed. */
  told: number
  /** The hub has read of the first who are behind: from now it makes orders. */
  noticed: number
}

/** Notes, at the driver, when the manager of this process has told a release to all, and when its hub has noticed the first, until stopped. */
export function watchPhases(): { phases: Phases; stop: () => void } {
  const phases: Phases = { told: Number.NaN, noticed: Number.NaN }
  const telling = new WeakSet<pg.Client>()
  const original = pg.Client.prototype.query
  const watched = function (this: pg.Client, ...given: Parameters<typeof original>) {
    const [query] = given as unknown as [string | { text?: string }]
    const text = (typeof query === 'string' ? query : (query.text ?? '')).trim()
    if (/\bupdate deployments d\s+set target\b/.test(text)) telling.add(this)
    const commits = text === 'commit' && telling.delete(this)
    const looks = text.startsWith('select d.id, d.requested_generation')
    const done = (rows: number) => {
      if (commits) phases.told = Date.now()
      if (looks && rows > 0 && Number.isNaN(phases.noticed)) phases.noticed = Date.now()
    }
    const last = given.at(-1) as unknown
    if ((commits || looks) && typeof last === 'function') {
      given[given.length - 1] = ((error: unknown, result?: pg.QueryResult) => {
        done(result?.rows.length ?? 0)
        return last(error, result)
      }) as never
    }
    const answer = Reflect.apply(original, this, given) as unknown
    if ((commits || looks) && answer instanceof Promise) {
      answer.then(
        (result: pg.QueryResult) => done(result.rows.length),
        () => {},
      )
    }
    return answer
  }
  pg.Client.prototype.query = watched as unknown as typeof original
  return {
    phases,
    stop: () => {
      pg.Client.prototype.query = original
    },
  }
}

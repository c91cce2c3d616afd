import type { BindingClient } from './binding-client.ts'

/** A new version is seen within this time; a burst of requests asks once. */
const cacheMs = 30_000

export interface Secret {
  /** The value. It is kept for half a minute, so that it can be asked for in every request. */
  get(): Promise<string>
}

/** @param now milliseconds, monotonic */
export function secretOf(client: BindingClient, now: () => number = () => performance.now()): Secret {
  let cached: { value: Promise<string>; until: number } | undefined
  return {
    get() {
      if (cached && now() < cached.until) return cached.value
      const value = client.request({ method: 'GET', path: '/' }).then((response) => response.text())
      const mine = { value, until: now() + cacheMs }
      cached = mine
      // A failure is not kept: the next call asks again.
      value.catch(() => {
        if (cached === mine) cached = undefined
      })
      return value
    },
  }
}

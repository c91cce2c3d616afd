import { useSyncExternalStore } from 'react'

/** A customer's visit: whose page it is, and the token that speaks for the customer. Null once the link has ended. */
export interface Visit {
  project: string
  deployment: string
  token: string | null
  /** What the vendor is called, once the page has said so: who to ask when the link has ended. */
  vendor?: string
  /** The customer left: the link ends with what it was for. */
  left?: true
}

const key = 'landfall.portal'
const listeners = new Set<() => void>()
let visit: Visit | null = remembered()

function remembered(): Visit | null {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(key) ?? 'null')
    return kept !== null && typeof kept === 'object' ? (kept as Visit) : null
  } catch {
    return null
  }
}

/** Reads what the fragment of a portal link carries; null where it carries nothing whole. */
export function visitOf(fragment: string): Visit | null {
  const given = new URLSearchParams(fragment.replace(/^#/, ''))
  const [token, project, deployment] = ['token', 'project', 'deployment'].map((name) => given.get(name) ?? '')
  return token && project && deployment ? { token, project, deployment } : null
}

/** Changes the visit, for as long as this tab is open: the token is kept nowhere else. */
export function keepVisit(next: Visit): void {
  visit = next
  try {
    sessionStorage.setItem(key, JSON.stringify(next))
  } catch {
    // Storage may be forbidden; the visit then lasts as long as the page.
  }
  for (const listener of listeners) listener()
}

/** Takes the token out of the address bar and the history, before anything else reads or shows the address. */
export function takeVisit(): void {
  if (location.pathname !== '/portal' || location.hash === '') return
  const given = visitOf(location.hash)
  history.replaceState(history.state, '', location.pathname)
  if (given) keepVisit(given)
}

takeVisit()
// Another link, opened in the same tab.
window.addEventListener('hashchange', takeVisit)

export const useVisit = () =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => visit,
  )

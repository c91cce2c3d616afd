import { type ReactNode, useEffect, useState } from 'react'
import type { Portal } from '../../api/types.ts'
import type { Visit } from '../../api/visit.ts'
import { clockTime } from '../../format/time.ts'
import { Notice } from '../../ui/feedback.tsx'
import { Time } from '../../ui/time.tsx'

/** What stands around the customer's page: whose software this is, where it is, and how fresh what is shown is. */
export function PortalFrame({
  visit,
  page,
  askedAt = 0,
  lost = false,
  ended = false,
  children,
}: {
  visit: Visit
  page?: Portal
  /** When the manager last answered, milliseconds. */
  askedAt?: number
  lost?: boolean
  /** The link opens nothing any more: nothing is asked, and nothing can be said. */
  ended?: boolean
  children: ReactNode
}) {
  const vendor = page?.vendor.name ?? visit.vendor ?? visit.project
  const name = page?.deployment.name ?? visit.deployment
  useEffect(() => {
    document.title = `${vendor} at ${name}`
  }, [vendor, name])
  return (
    <div className="portal">
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="portal-head">
        <Logo name={vendor} logo={page?.vendor.logo ?? null} />
        <span className="two-line">
          <strong className="truncate">{vendor}</strong>
          <small className="truncate">at {name}</small>
        </span>
        {!ended && (
          <span className={`live ${lost ? 'lost' : page ? 'live' : 'connecting'}`}>
            <i className="dot" />
            {lost ? 'No answer' : page ? 'Up to date' : 'Asking'}
          </span>
        )}
      </header>
      <main className="portal-main" id="content" tabIndex={-1}>
        <div role="status">
          {lost && askedAt > 0 && (
            <Notice tone="attention" icon="warning" className="lost-bar">
              <strong>{vendor}’s manager does not answer.</strong>
              <span>
                What you see is as of {clockTime(askedAt)}. What runs in your environment goes on; this page keeps
                trying.
              </span>
            </Notice>
          )}
        </div>
        {children}
      </main>
      <footer className="portal-foot">
        <span>
          {page?.expiresAt && (
            <>
              Your link ends <Time at={page.expiresAt} />; keep it like a key: who has it speaks for you here.
            </>
          )}
        </span>
        <span>Delivered by Landfall</span>
      </footer>
    </div>
  )
}

/** The vendor's sign; its initial where it gave none, or where that can't be had. */
function Logo({ name, logo }: { name: string; logo: string | null }) {
  const [broken, setBroken] = useState(false)
  if (logo !== null && !broken) {
    return <img className="portal-logo" src={logo} alt="" onError={() => setBroken(true)} />
  }
  return (
    <span className="portal-logo" aria-hidden="true">
      {name.charAt(0).toUpperCase()}
    </span>
  )
}

import { useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { failureOf } from '../../api/failure.ts'
import { isOver, type LiveVisit, portal } from '../../api/portal.ts'
import { keepVisit, useVisit } from '../../api/visit.ts'
import { Failed, PageSkeleton } from '../../ui/feedback.tsx'
import { Ended } from './ended.tsx'
import { PortalFrame } from './frame.tsx'
import { PortalHome } from './home.tsx'

/** The customer's page: what did they do here, what do they want? */
export function PortalPage() {
  const visit = useVisit()
  if (visit?.token == null) return <Ended visit={visit} code={null} />
  return <Visited visit={visit as LiveVisit} />
}

function Visited({ visit }: { visit: LiveVisit }) {
  const query = useQuery(portal(visit))
  const vendor = query.data?.vendor.name
  useEffect(() => {
    if (vendor !== undefined && vendor !== visit.vendor) keepVisit({ ...visit, vendor })
  }, [vendor, visit])
  if (query.isError && isOver(query.error)) return <Ended visit={visit} code={failureOf(query.error).code} />
  if (!query.data) {
    return (
      <PortalFrame visit={visit}>
        {query.isError ? (
          <div className="page">
            <p className="sentence">This page has no answer right now.</p>
            <Failed error={query.error} again={() => void query.refetch()} />
          </div>
        ) : (
          <PageSkeleton title={visit.deployment} blocks={[180, 160, 220]} />
        )}
      </PortalFrame>
    )
  }
  return (
    <PortalFrame
      visit={visit}
      page={query.data}
      askedAt={query.dataUpdatedAt}
      lost={query.isError || query.fetchStatus === 'paused'}
    >
      <PortalHome visit={visit} page={query.data} />
    </PortalFrame>
  )
}

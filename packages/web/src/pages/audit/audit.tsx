import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import * as q from '../../api/queries.ts'
import { Page } from '../../ui/page.tsx'
import { Time } from '../../ui/time.tsx'
import { AuditEntries } from './entries.tsx'

const route = getRouteApi('/p/$project/audit')

export function Audit() {
  const { project } = route.useParams()
  const list = useInfiniteQuery(q.audit(project))
  const last = list.data?.pages[0]?.items[0]
  return (
    <Page
      title="Audit"
      browserTitle={`Audit of ${project}`}
      sentence={
        last ? (
          <>
            The last thing done was by {last.actor}, <Time at={last.at} />: {last.message}
          </>
        ) : (
          'What people and the engine did in this project, newest first.'
        )
      }
    >
      <AuditEntries project={project} />
    </Page>
  )
}

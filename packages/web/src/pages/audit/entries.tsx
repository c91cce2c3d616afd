import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import * as q from '../../api/queries.ts'
import type { AuditEntry } from '../../api/types.ts'
import { Button } from '../../ui/button.tsx'
import { Code } from '../../ui/copy.tsx'
import { Empty, Failed, Skeleton } from '../../ui/feedback.tsx'
import { Fresh } from '../../ui/fresh.tsx'
import { Time } from '../../ui/time.tsx'
import { useNarrow } from '../../ui/use-media.ts'
import { useSteadyList } from '../../ui/use-steady-list.ts'

/** The log of what was done, newest first: of the project, or of one deployment. */
export function AuditEntries({ project, deployment }: { project: string; deployment?: string }) {
  const list = useInfiniteQuery(q.audit(project, deployment))
  return (
    <EntryList
      list={list}
      scope={deployment ?? project}
      where={deployment === undefined ? (id) => <Where project={project} id={id} /> : undefined}
    />
  )
}

interface EntryPages {
  data: { pages: readonly { items: AuditEntry[] }[] } | undefined
  isPending: boolean
  isError: boolean
  error: unknown
  hasNextPage: boolean
  isFetchingNextPage: boolean
  refetch: () => unknown
  fetchNextPage: () => unknown
}

/** Entries of any chain, as they were read so far; `where` shows the deployment of each, in a list of several. */
export function EntryList({
  list,
  scope,
  where,
}: {
  list: EntryPages
  scope: string
  where?: ((deployment: string) => ReactNode) | undefined
}) {
  const items = list.data?.pages.flatMap((page) => page.items) ?? []
  const steady = useSteadyList(items, keyOf, scope)
  const narrow = useNarrow()
  if (list.isPending) return <Skeleton height={320} />
  if (list.isError) return <Failed error={list.error} again={() => void list.refetch()} />
  if (steady.shown.length === 0) {
    return (
      <div className="card">
        <Empty icon="audit" title="Nothing was done yet">
          Each action of a person or of the engine is written here, chained by hash so that it can’t be rewritten
          unnoticed.
        </Empty>
      </div>
    )
  }
  return (
    <div {...steady.engage}>
      <Fresh count={steady.fresh} letIn={steady.letIn} />
      {narrow ? (
        <ul className="cards">
          {steady.shown.map((entry) => (
            <li key={keyOf(entry)} className="card-item">
              <span>{entry.message}</span>
              <span className="row between faint">
                <span>{entry.actor}</span>
                <Time at={entry.at} />
              </span>
              {where && entry.deployment && where(entry.deployment)}
              <Code code={entry.code ?? entry.type} />
            </li>
          ))}
        </ul>
      ) : (
        <div className="table-wrap">
          <table className="table">
            <caption className="visually-hidden">Audit, newest first</caption>
            <colgroup>
              <col style={{ width: 76 }} />
              <col style={{ width: 120 }} />
              <col style={{ width: '21%' }} />
              <col />
              {where && <col style={{ width: '14%' }} />}
              <col style={{ width: '18%' }} />
            </colgroup>
            <thead>
              <tr>
                <th scope="col">No.</th>
                <th scope="col">When</th>
                <th scope="col">Who</th>
                <th scope="col">What</th>
                {where && <th scope="col">Where</th>}
                <th scope="col">Code</th>
              </tr>
            </thead>
            <tbody>
              {steady.shown.map((entry) => (
                <tr key={keyOf(entry)}>
                  <td className="faint" title={`sha256 ${entry.hash}`}>
                    {entry.number}
                  </td>
                  <td className="muted">
                    <Time at={entry.at} />
                  </td>
                  <td className="truncate" title={entry.actor}>
                    {entry.actor}
                  </td>
                  <td>{entry.message}</td>
                  {where && <td className="truncate">{entry.deployment && where(entry.deployment)}</td>}
                  <td>
                    <Code code={entry.code ?? entry.type} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {list.hasNextPage && (
        <div className="fresh">
          <Button onPress={() => void list.fetchNextPage()} isPending={list.isFetchingNextPage}>
            {list.isFetchingNextPage ? 'Loading…' : 'Show older entries'}
          </Button>
        </div>
      )}
    </div>
  )
}

const keyOf = (entry: AuditEntry) => `${entry.deployment ?? ''} ${entry.number}`

/** The deployment by its name, as soon as that is known. */
function Where({ project, id }: { project: string; id: string }) {
  const list = useInfiniteQuery(q.deployments(project, {}))
  const named = list.data?.pages.flatMap((page) => page.items).find((item) => item.id === id)
  return (
    <Link to="/p/$project/deployments/$deployment" params={{ project, deployment: named?.name ?? id }}>
      {named?.name ?? id}
    </Link>
  )
}

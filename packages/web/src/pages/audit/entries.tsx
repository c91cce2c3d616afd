import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import * as q from '../../api/queries.ts'
import type { AuditEntry } from '../../api/types.ts'
import { Code } from '../../ui/copy.tsx'
import { Empty, Failed, Skeleton } from '../../ui/feedback.tsx'
import { PagedList, type Pages } from '../../ui/paged-list.tsx'
import { Time } from '../../ui/time.tsx'

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

/** Entries of any chain, as they were read so far; `where` shows the deployment of each, in a list of several. */
export function EntryList({
  list,
  scope,
  where,
}: {
  list: Pages<AuditEntry>
  scope: string
  where?: ((deployment: string) => ReactNode) | undefined
}) {
  if (list.isPending) return <Skeleton height={320} />
  if (list.isError) return <Failed error={list.error} again={() => void list.refetch()} />
  return (
    <PagedList
      list={list}
      scope={scope}
      keyOf={keyOf}
      caption="Audit, newest first"
      columns={[
        { name: 'No.', width: 76 },
        { name: 'When', width: 120 },
        { name: 'Who', width: '21%' },
        { name: 'What' },
        ...(where ? [{ name: 'Where', width: '14%' }] : []),
        { name: 'Code', width: '18%' },
      ]}
      row={(entry) => <Row entry={entry} where={where} />}
      card={(entry) => <CardOf entry={entry} where={where} />}
      empty={
        <Empty icon="audit" title="Nothing was done yet">
          Each action of a person or of the engine is written here, chained by hash so that it can’t be rewritten
          unnoticed.
        </Empty>
      }
    />
  )
}

interface Of {
  entry: AuditEntry
  where: ((deployment: string) => ReactNode) | undefined
}

function Row({ entry, where }: Of) {
  return (
    <>
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
    </>
  )
}

function CardOf({ entry, where }: Of) {
  return (
    <>
      <span>{entry.message}</span>
      <span className="row between faint">
        <span>{entry.actor}</span>
        <Time at={entry.at} />
      </span>
      {where && entry.deployment && where(entry.deployment)}
      <Code code={entry.code ?? entry.type} />
    </>
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

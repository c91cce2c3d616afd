import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import * as q from '../../api/queries.ts'
import type { Deployment } from '../../api/types.ts'
import { plural } from '../../format/words.ts'
import { Empty, Failed, Skeleton } from '../../ui/feedback.tsx'
import { Fresh } from '../../ui/fresh.tsx'
import { Icon } from '../../ui/icon.tsx'
import { ModelWord } from '../../ui/model.tsx'
import { Status } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'
import { useNarrow } from '../../ui/use-media.ts'
import { useSteadyList } from '../../ui/use-steady-list.ts'
import { useWindow } from '../../ui/use-window.ts'
import { Filters } from './filters.tsx'

const route = getRouteApi('/p/$project/')
/** Heights of a row and of a card with its gap, in pixels; the styles say the same. */
const rowHeight = 53
const cardHeight = 152

export function DeploymentTable() {
  const { project } = route.useParams()
  const filter = route.useSearch()
  const list = useInfiniteQuery(q.deployments(project, filter))
  const items = list.data?.pages.flatMap((page) => page.items) ?? []
  const steady = useSteadyList(items, (item) => item.id, JSON.stringify(filter))
  const narrow = useNarrow()
  return (
    <section aria-labelledby="deployments">
      <div className="section-head">
        <h2 id="deployments">
          Deployments{' '}
          <span className="faint">
            {list.isSuccess && `${steady.shown.length.toLocaleString('en')}${list.hasNextPage ? '+' : ''}`}
          </span>
        </h2>
        <Filters />
      </div>
      <Fresh count={steady.fresh} letIn={steady.letIn} />
      {list.isError ? (
        <Failed error={list.error} again={() => void list.refetch()} />
      ) : list.isPending ? (
        <div className="stack" aria-busy="true">
          <Skeleton height={52} />
          <Skeleton height={52} />
          <Skeleton height={52} />
        </div>
      ) : steady.shown.length === 0 ? (
        <div className="card">
          <Empty icon="search" title="No deployment matches these filters">
            Clear a filter, or search for another part of the name.
          </Empty>
        </div>
      ) : (
        <div {...steady.engage}>
          <Rows
            project={project}
            items={steady.shown}
            narrow={narrow}
            more={list.hasNextPage && !list.isFetchingNextPage ? () => void list.fetchNextPage() : undefined}
          />
        </div>
      )}
    </section>
  )
}

function Rows(props: {
  project: string
  items: readonly Deployment[]
  narrow: boolean
  more: (() => void) | undefined
}) {
  const { items, narrow, more } = props
  const ref = useRef<HTMLElement>(null)
  const view = useWindow(ref, items.length, narrow ? cardHeight : rowHeight)
  useEffect(() => {
    if (more && view.to > items.length - 40) more()
  }, [more, view.to, items.length])
  const visible = items.slice(view.from, view.to)
  if (narrow) {
    return (
      <ul
        ref={ref as React.RefObject<HTMLUListElement>}
        className="cards"
        aria-label={plural(items.length, 'deployment')}
      >
        {view.before > 0 && <li aria-hidden="true" style={{ height: view.before - 8 }} />}
        {visible.map((item) => (
          <li key={item.id} className="card-item tall">
            <div className="row between">
              <NameLink project={props.project} item={item} />
              <Health item={item} />
            </div>
            <div className="row between">
              <Version item={item} />
              <span className="faint row tight">
                {item.group ?? 'no group'} · <ModelWord model={item.model} /> · {item.platform}
              </span>
            </div>
            <span className="muted truncate">{item.reason.message}</span>
            <span className="faint">
              seen <Time at={item.lastSeenAt} />
            </span>
          </li>
        ))}
        {view.after > 0 && <li aria-hidden="true" style={{ height: view.after }} />}
      </ul>
    )
  }
  return (
    <div className="table-wrap">
      <table className="table fixed-rows" aria-rowcount={items.length + 1}>
        <caption className="visually-hidden">Deployments</caption>
        <colgroup>
          <col style={{ width: '19%' }} />
          <col style={{ width: '12%' }} />
          <col style={{ width: '13%' }} />
          <col style={{ width: '11%' }} />
          <col style={{ width: '12%' }} />
          <col />
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col">Deployment</th>
            <th scope="col">Where</th>
            <th scope="col">Version</th>
            <th scope="col">Health</th>
            <th scope="col">Last seen</th>
            <th scope="col">What it does, or waits for</th>
          </tr>
        </thead>
        <tbody ref={ref as React.RefObject<HTMLTableSectionElement>}>
          {view.before > 0 && (
            // biome-ignore lint/a11y/noAriaHiddenOnFocusable: an empty row takes no focus
            <tr className="spacer" aria-hidden="true">
              <td colSpan={6} style={{ height: view.before }} />
            </tr>
          )}
          {visible.map((item, index) => (
            <tr key={item.id} aria-rowindex={view.from + index + 2}>
              <td>
                <span className="two-line">
                  <NameLink project={props.project} item={item} />
                  <small className="truncate">{item.group ?? 'no group'}</small>
                </span>
              </td>
              <td>
                <span className="two-line">
                  <ModelWord model={item.model} />
                  <small>{item.platform}</small>
                </span>
              </td>
              <td>
                <Version item={item} />
              </td>
              <td>
                <Health item={item} />
              </td>
              <td className="muted">
                <Time at={item.lastSeenAt} />
              </td>
              <td>
                <span className="two-line">
                  <span className="truncate" title={item.reason.message}>
                    {item.reason.message}
                  </span>
                  <small>
                    since <Time at={item.reason.since} />
                  </small>
                </span>
              </td>
            </tr>
          ))}
          {view.after > 0 && (
            // biome-ignore lint/a11y/noAriaHiddenOnFocusable: an empty row takes no focus
            <tr className="spacer" aria-hidden="true">
              <td colSpan={6} style={{ height: view.after }} />
            </tr>
          )}
        </tbody>
      </table>
    </div>
  )
}

function NameLink({ project, item }: { project: string; item: Deployment }) {
  return (
    <Link
      to="/p/$project/deployments/$deployment"
      params={{ project, deployment: item.name }}
      className="name truncate"
    >
      {item.name}
    </Link>
  )
}

function Version({ item }: { item: Deployment }) {
  const next = item.target && item.target.digest !== item.actual?.digest ? item.target.version : null
  return (
    <span className="two-line">
      <span className="nowrap">
        <span>{item.actual?.version ?? 'none yet'}</span>
        {next && next !== item.actual?.version && <span style={{ color: 'var(--candidate)' }}> → {next}</span>}
      </span>
      <small className="nowrap">
        {item.pinned ? (
          <>
            <Icon name="pin" size={12} /> pinned
          </>
        ) : item.actual === null ? (
          item.newest ? (
            `newest is ${item.newest}`
          ) : (
            'no release yet'
          )
        ) : item.versionsBehind > 0 ? (
          `${item.versionsBehind} behind`
        ) : (
          'newest'
        )}
      </small>
    </span>
  )
}

/** Health, unless something else needs to be known first: it is on its way, it went back, or it waits for a person. */
function Health({ item }: { item: Deployment }) {
  if (item.phase === 'running' || item.phase === 'failed') return <Status state={item.health} />
  return <Status state={item.phase} />
}

import type { ReactNode } from 'react'
import { Button } from './button.tsx'
import { PageSkeleton } from './feedback.tsx'
import { Fresh } from './fresh.tsx'
import { Page } from './page.tsx'
import { PageFailed } from './page-failed.tsx'
import { useNarrow } from './use-media.ts'
import { useSteadyList } from './use-steady-list.ts'

/** A list as it was read so far, page by page: an infinite query. */
export interface Pages<T> {
  data: { pages: readonly { items: T[] }[] } | undefined
  isPending: boolean
  isError: boolean
  error: unknown
  hasNextPage: boolean
  isFetchingNextPage: boolean
  refetch: () => unknown
  fetchNextPage: () => unknown
}

export interface PagedListProps<T> {
  list: Pages<T>
  /** What the list is of; another scope starts afresh. */
  scope: string
  keyOf: (item: T) => string
  caption: string
  columns: readonly { name: string; width?: number | string }[]
  /** The cells of a row, one for each column. */
  row: (item: T) => ReactNode
  /** The same, where tables become cards. */
  card: (item: T) => ReactNode
  empty: ReactNode
}

export const itemsOf = <T,>(list: Pages<T>): T[] => list.data?.pages.flatMap((page) => page.items) ?? []

/** A long list, newest first, that does not move while it is in use; older pages come when they are asked for. */
export function PagedList<T>({ list, scope, keyOf, caption, columns, row, card, empty }: PagedListProps<T>) {
  const steady = useSteadyList(itemsOf(list), keyOf, scope)
  const narrow = useNarrow()
  if (steady.shown.length === 0) return <div className="card">{empty}</div>
  return (
    <div {...steady.engage}>
      <Fresh count={steady.fresh} letIn={steady.letIn} />
      {narrow ? (
        <ul className="cards" aria-label={caption}>
          {steady.shown.map((item) => (
            <li key={keyOf(item)} className="card-item">
              {card(item)}
            </li>
          ))}
        </ul>
      ) : (
        <div className="table-wrap">
          <table className="table">
            <caption className="visually-hidden">{caption}</caption>
            <colgroup>
              {columns.map(({ name, width }) => (
                <col key={name} style={width === undefined ? undefined : { width }} />
              ))}
            </colgroup>
            <thead>
              <tr>
                {columns.map(({ name }) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {steady.shown.map((item) => (
                <tr key={keyOf(item)}>{row(item)}</tr>
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

/** A page that is one such list: its skeleton while it loads, what happened where it does not come. */
export function PagedPage<T>({
  title,
  sentence,
  ...of
}: PagedListProps<T> & { title: string; sentence: (items: readonly T[]) => ReactNode }) {
  const { list, scope } = of
  if (list.isPending) return <PageSkeleton title={title} blocks={[320]} />
  if (list.isError) return <PageFailed title={title} error={list.error} again={() => void list.refetch()} />
  return (
    <Page title={title} browserTitle={`${title} of ${scope}`} sentence={sentence(itemsOf(list))}>
      <PagedList {...of} />
    </Page>
  )
}

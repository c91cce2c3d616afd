import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import * as q from '../../api/queries.ts'
import type { Release } from '../../api/types.ts'
import { plural, shortDigest } from '../../format/words.ts'
import { Empty, PageSkeleton } from '../../ui/feedback.tsx'
import { Fresh } from '../../ui/fresh.tsx'
import { Card, Page } from '../../ui/page.tsx'
import { PageFailed } from '../../ui/page-failed.tsx'
import { Time } from '../../ui/time.tsx'
import { useNarrow } from '../../ui/use-media.ts'
import { useSteadyList } from '../../ui/use-steady-list.ts'
import { Signature } from './signature.tsx'

const route = getRouteApi('/p/$project/releases')

function sentenceOf(items: readonly Release[]): string {
  const [newest, ...others] = items
  if (!newest) return 'Nothing was released yet.'
  const older = others.reduce((sum, item) => sum + item.running, 0)
  const arriving = newest.arriving > 0 ? `, ${newest.arriving} are on their way to it` : ''
  return `The newest release is ${newest.version}: ${plural(newest.running, 'deployment runs', 'deployments run')} it${arriving}, and ${older} still run an older one.`
}

export function Releases() {
  const { project } = route.useParams()
  const list = useQuery(q.releases(project))
  const steady = useSteadyList(list.data?.items ?? [], (item) => item.digest, project)
  const narrow = useNarrow()
  if (list.isPending) return <PageSkeleton title="Releases" blocks={[320]} />
  if (list.isError) return <PageFailed title="Releases" error={list.error} again={() => void list.refetch()} />
  return (
    <Page title="Releases" browserTitle={`Releases of ${project}`} sentence={sentenceOf(list.data.items)}>
      <div {...steady.engage}>
        <Fresh count={steady.fresh} letIn={steady.letIn} />
        {steady.shown.length === 0 ? (
          <Card>
            <Empty icon="release" title="No release yet" teach={['landfall release']}>
              A release is the stack and its artifacts, by digest, signed by your key.
            </Empty>
          </Card>
        ) : narrow ? (
          <ul className="cards">
            {steady.shown.map((item) => (
              <li key={item.digest} className="card-item">
                <div className="row between">
                  <Name project={project} item={item} />
                  <span className="tag">{item.channel}</span>
                </div>
                <span>
                  {item.running} running{item.arriving > 0 && `, ${item.arriving} arriving`}
                </span>
                <span className="row between">
                  <Signature release={item} />
                  <span className="faint">
                    <Time at={item.publishedAt} />
                  </span>
                </span>
              </li>
            ))}
          </ul>
        ) : (
          <div className="table-wrap">
            <table className="table">
              <caption className="visually-hidden">Releases, newest first</caption>
              <thead>
                <tr>
                  <th scope="col">Version</th>
                  <th scope="col">Channel</th>
                  <th scope="col">Runs on</th>
                  <th scope="col">Signature</th>
                  <th scope="col">Digest</th>
                  <th scope="col">Published</th>
                </tr>
              </thead>
              <tbody>
                {steady.shown.map((item) => (
                  <tr key={item.digest}>
                    <td>
                      <Name project={project} item={item} />
                    </td>
                    <td>{item.channel}</td>
                    <td>
                      <span className="two-line">
                        {plural(item.running, 'deployment')}
                        {item.arriving > 0 && <small>{item.arriving} on their way</small>}
                      </span>
                    </td>
                    <td>
                      <Signature release={item} />
                    </td>
                    <td className="mono muted">{shortDigest(item.digest)}</td>
                    <td>
                      <span className="two-line">
                        <Time at={item.publishedAt} />
                        <small className="truncate">{item.publishedBy}</small>
                      </span>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </div>
    </Page>
  )
}

function Name({ project, item }: { project: string; item: Release }) {
  return (
    <Link to="/p/$project/releases/$release" params={{ project, release: item.version }} className="name">
      {item.version}
    </Link>
  )
}

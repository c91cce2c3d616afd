import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import * as q from '../../api/queries.ts'
import type { Release } from '../../api/types.ts'
import { plural, shortDigest } from '../../format/words.ts'
import { Empty } from '../../ui/feedback.tsx'
import { PagedPage } from '../../ui/paged-list.tsx'
import { Time } from '../../ui/time.tsx'
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
  return (
    <PagedPage
      title="Releases"
      scope={project}
      list={useInfiniteQuery(q.releasePages(project))}
      sentence={sentenceOf}
      keyOf={(item) => item.digest}
      caption="Releases, newest first"
      columns={['Version', 'Channel', 'Runs on', 'Signature', 'Digest', 'Published'].map((name) => ({ name }))}
      row={(item) => <Row project={project} item={item} />}
      card={(item) => <CardOf project={project} item={item} />}
      empty={
        <Empty icon="release" title="No release yet" teach={['landfall release']}>
          A release is the stack and its artifacts, by digest, signed by your key.
        </Empty>
      }
    />
  )
}

interface Of {
  project: string
  item: Release
}

function Row({ project, item }: Of) {
  return (
    <>
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
    </>
  )
}

function CardOf({ project, item }: Of) {
  return (
    <>
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
    </>
  )
}

function Name({ project, item }: Of) {
  return (
    <Link to="/p/$project/releases/$release" params={{ project, release: item.version }} className="name">
      {item.version}
    </Link>
  )
}

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import * as q from '../../api/queries.ts'
import type { ReleaseDetail } from '../../api/types.ts'
import { useMay } from '../../app/session.tsx'
import { byteSize, plural, sentenceCase } from '../../format/words.ts'
import { announce } from '../../ui/announce.tsx'
import { Button } from '../../ui/button.tsx'
import { DigestText } from '../../ui/copy.tsx'
import { ConfirmDialog } from '../../ui/dialog.tsx'
import { PageSkeleton } from '../../ui/feedback.tsx'
import { Card, Page } from '../../ui/page.tsx'
import { PageFailed } from '../../ui/page-failed.tsx'
import { Status } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'
import { Signature } from './signature.tsx'

const route = getRouteApi('/p/$project/releases/$release')

function sentenceOf(release: ReleaseDetail): string {
  const went = release.deployments.filter((item) => item.state === 'went-back').length
  const parts = [
    `${release.version} runs on ${plural(release.running, 'deployment')}`,
    ...(release.arriving > 0 ? [`${release.arriving} are on their way`] : []),
    ...(went > 0 ? [`${went} went back from it`] : []),
  ]
  const { from, lines } = release.difference
  const against =
    from === null ? 'It is the first of its channel.' : `It differs from ${from} in ${plural(lines.length, 'thing')}.`
  return `${parts.join(', ')}. ${against}`
}

/** What is in it? */
export function ReleasePage() {
  const { project, release: name } = route.useParams()
  const query = useQuery(q.release(project, name))
  const may = useMay(project)
  if (query.isPending) return <PageSkeleton title="Release" blocks={[200, 260]} />
  if (query.isError) return <PageFailed title={name} error={query.error} again={() => void query.refetch()} />
  const release = query.data
  const total = release.artifacts.reduce((sum, artifact) => sum + artifact.size, 0)
  return (
    <Page
      entity
      title={release.version}
      browserTitle={`Release ${release.version}`}
      above={
        <Link to="/p/$project/releases" params={{ project }}>
          Releases
        </Link>
      }
      beside={
        <>
          <span className="tag">{release.channel}</span>
          <Signature release={release} />
          <span className="faint">
            published <Time at={release.publishedAt} /> by {release.publishedBy}
          </span>
        </>
      }
      sentence={sentenceOf(release)}
      actions={may('developer') && <RollOut project={project} release={release} />}
    >
      <div className="columns">
        <div className="stack wide">
          <Card
            title="Difference"
            hint={release.difference.from ? `against ${release.difference.from}` : 'first release'}
          >
            {release.difference.lines.length === 0 ? (
              <p className="muted">
                {release.difference.from
                  ? 'Nothing that runs differs.'
                  : 'There is no release before it in its channel.'}
              </p>
            ) : (
              <ul className="stack">
                {release.difference.lines.map((line) => (
                  <li key={line.change} className="difference">
                    <span className="tag">{line.area}</span>
                    <span>{line.change}</span>
                  </li>
                ))}
              </ul>
            )}
          </Card>
          <Card title="Artifacts" hint={`${plural(release.artifacts.length, 'artifact')}, ${byteSize(total)}`} flush>
            <table className="table auto">
              <thead>
                <tr>
                  <th scope="col">Resource</th>
                  <th scope="col">Digest</th>
                  <th scope="col" className="num">
                    Size
                  </th>
                </tr>
              </thead>
              <tbody>
                {release.artifacts.map((artifact) => (
                  <tr key={artifact.resource}>
                    <td title={artifact.mediaType}>{artifact.resource}</td>
                    <td>
                      <DigestText digest={artifact.digest} />
                    </td>
                    <td className="num nowrap">{byteSize(artifact.size)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Card>
        </div>
        <div className="stack wide">
          <Card title="Where it runs" hint={plural(release.deployments.length, 'deployment')} flush>
            {release.deployments.length === 0 ? (
              <div className="card-body muted">Nowhere.</div>
            ) : (
              <ul className="members" style={{ maxHeight: 360, overflow: 'auto' }}>
                {release.deployments.map((item) => (
                  <li
                    key={item.id}
                    className="member"
                    style={{ gridTemplateColumns: 'minmax(0, 1fr) auto', minHeight: 40 }}
                  >
                    <Link
                      to="/p/$project/deployments/$deployment"
                      params={{ project, deployment: item.name }}
                      className="name truncate"
                    >
                      {item.name}
                    </Link>
                    <Status state={item.state} />
                  </li>
                ))}
              </ul>
            )}
          </Card>
          <Card title="Provenance">
            <dl className="pairs">
              <dt>Digest</dt>
              <dd>
                <DigestText digest={release.digest} />
              </dd>
              <dt>Sequence</dt>
              <dd>{release.sequence}</dd>
              <dt>Signed by</dt>
              <dd>
                {release.signedBy.map((signer) => (
                  <div key={signer.keyid}>
                    {signer.kind} key <span className="mono faint">{signer.keyid}</span>
                  </div>
                ))}
              </dd>
              <dt>Built</dt>
              <dd>
                <Time at={release.createdAt} />
              </dd>
              {Object.entries(release.provenance).map(([key, value]) => (
                <Fact key={key} name={key} value={value} />
              ))}
              {release.rollout && (
                <>
                  <dt>Rollout</dt>
                  <dd>
                    <Link to="/p/$project/rollouts/$rollout" params={{ project, rollout: release.rollout }}>
                      How it reached its deployments
                    </Link>
                  </dd>
                </>
              )}
            </dl>
          </Card>
        </div>
      </div>
    </Page>
  )
}

function Fact({ name, value }: { name: string; value: unknown }) {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return (
    <>
      <dt>{sentenceCase(name)}</dt>
      <dd className={/^[0-9a-f]{12,}$/.test(text) ? 'mono' : ''}>{text}</dd>
    </>
  )
}

function RollOut({ project, release }: { project: string; release: ReleaseDetail }) {
  const queries = useQueryClient()
  const [open, setOpen] = useState(false)
  const channels = useQuery({ ...q.channels(project), enabled: open })
  const followers = channels.data?.items.find((channel) => channel.name === release.channel)?.deployments
  return (
    <>
      <Button icon="rollout" onPress={() => setOpen(true)}>
        Roll out again
      </Button>
      <ConfirmDialog
        open={open}
        askReason={false}
        title={`Roll ${release.version} out to ${release.channel}?`}
        verb={`Roll out to ${followers === undefined ? release.channel : plural(followers, 'deployment')}`}
        onClose={() => setOpen(false)}
        consequences={[
          {
            icon: 'moving',
            text: `The deployments that follow ${release.channel} get ${release.version}, wave by wave, by the channel’s plan. Those that run it already are left alone.`,
          },
          { icon: 'forward', text: 'A rollout of the same channel that still moves is superseded.' },
          { icon: 'back', text: 'It can be undone: abort brings back what was reached.' },
        ]}
        onConfirm={async () => {
          await api.createRollout({ params: { project }, body: { release: release.digest } })
          announce(`The rollout of ${release.version} has begun.`)
          await queries.invalidateQueries()
        }}
      />
    </>
  )
}

import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import * as q from '../../api/queries.ts'
import type { DeploymentDetail, Explanation } from '../../api/types.ts'
import { sentenceCase } from '../../format/words.ts'
import { Code, Copy, DigestText } from '../../ui/copy.tsx'
import { Failed, Skeleton } from '../../ui/feedback.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Card } from '../../ui/page.tsx'
import { Time } from '../../ui/time.tsx'
import { Timeline } from '../../ui/timeline.tsx'
import { Words } from '../../ui/words.tsx'
import { AgentCard } from './agent-card.tsx'
import { CustomerCard } from './customer-card.tsx'
import { ResourceTree } from './resource-tree.tsx'
import { SiteRoad } from './site-road.tsx'
import { WorkerRollouts } from './worker-rollouts.tsx'

const route = getRouteApi('/p/$project/deployments/$deployment/')

export function Overview() {
  const { project, deployment: name } = route.useParams()
  const query = useQuery(q.deployment(project, name))
  const explanation = useQuery(q.explanation(project, name))
  const events = useInfiniteQuery(q.audit(project, name))
  const item = query.data
  if (!item) return null
  const recent = events.data?.pages[0]?.items.slice(0, 8) ?? []
  return (
    <div className="columns side-right">
      <div className="stack wide">
        <WorkerRollouts item={item} />
        <Card title="Resources" hint="what each depends on stands below it">
          <ResourceTree resources={item.resources} />
        </Card>
        {item.model !== 'push' && <AgentCard project={project} item={item} />}
        {item.model === 'airgapped' && <SiteRoad project={project} item={item} />}
      </div>
      <div className="stack wide">
        <Card title="Why it is where it is">
          {explanation.isError ? (
            <Failed error={explanation.error} again={() => void explanation.refetch()} />
          ) : explanation.data ? (
            <Checks explanation={explanation.data} />
          ) : (
            <Skeleton height={180} />
          )}
        </Card>
        <CustomerCard project={project} name={name} />
        <TargetAgainstActual project={project} item={item} />
        {item.conditions.length > 0 && (
          <Card title="Conditions">
            <ul className="stack">
              {item.conditions.map((condition) => (
                <li key={condition.type} className="check-line">
                  <Icon
                    name={
                      condition.status === 'true' ? 'circleCheck' : condition.status === 'false' ? 'warning' : 'unknown'
                    }
                  />
                  <span>
                    <strong>{sentenceCase(condition.type)}</strong>
                    {condition.status === 'true' ? '' : condition.status === 'false' ? ' (not so)' : ' (unknown)'}:{' '}
                    {condition.message}
                  </span>
                  <span className="faint">
                    <Time at={condition.since} />
                  </span>
                </li>
              ))}
            </ul>
          </Card>
        )}
        <Card
          title="Events"
          hint={
            <Link to="/p/$project/deployments/$deployment/audit" params={{ project, deployment: name }}>
              All of them
            </Link>
          }
        >
          <Timeline
            entries={recent
              .map((entry) => ({
                at: entry.at,
                code: entry.code ?? entry.type,
                message: entry.message,
                by: entry.actor,
              }))
              .reverse()}
          />
        </Card>
      </div>
    </div>
  )
}

const signs = {
  ok: ['circleCheck', 'status good', 'holds'],
  waiting: ['clock', 'status attention', 'waits'],
  blocked: ['failed', 'status danger', 'blocked'],
  unknown: ['unknown', 'status', 'unknown'],
} as const

/** The way from the release to the environment, link by link, and where it stands. */
function Checks({ explanation }: { explanation: Explanation }) {
  return (
    <div className="stack">
      <ol className="checks">
        {explanation.checks.map((check) => {
          const [icon, look, word] = signs[check.status]
          return (
            <li key={`${check.name} ${check.code}`}>
              <span className={look}>
                <Icon name={icon} />
                <span className="visually-hidden">{word}</span>
              </span>
              <span>
                <strong>{sentenceCase(check.name)}</strong>: <Words text={check.message} />
              </span>
              <span>{check.since && <Time at={check.since} />}</span>
              {check.status !== 'ok' && (
                <span className="meta">
                  <Code code={check.code} />
                </span>
              )}
            </li>
          )
        })}
      </ol>
      <p className="next">
        <strong>Next:</strong> <Words text={explanation.next} />
      </p>
    </div>
  )
}

function TargetAgainstActual({ project, item }: { project: string; item: DeploymentDetail }) {
  const { actual, target } = item
  const same = actual !== null && actual.digest === target?.digest
  const observed = item.generation.observed === item.generation.requested
  const part = (name: string, of: DeploymentDetail['target']) => (
    <>
      <dt>{name}</dt>
      <dd>
        {of ? (
          <span className="row">
            <Link to="/p/$project/releases/$release" params={{ project, release: of.version }}>
              {of.version}
            </Link>
            <DigestText digest={of.digest} />
          </span>
        ) : (
          <span className="faint">none yet</span>
        )}
      </dd>
    </>
  )
  return (
    <Card title="Target and actual" hint={same ? 'they are the same' : 'they differ'}>
      <dl className="pairs">
        {part('Target', target)}
        {part('Actual', actual)}
        <dt>Newest</dt>
        <dd>
          {item.newest ?? 'none'}
          {item.versionsBehind > 0 && <span className="muted">, {item.versionsBehind} behind</span>}
        </dd>
        <dt>Channel</dt>
        <dd>
          {item.channel}
          {item.pinned && <span className="tag"> pinned to {item.pinned}</span>}
        </dd>
        <dt>Generation</dt>
        <dd>
          {item.generation.observed} of {item.generation.requested}
          {!observed && <span className="muted">, the runner has not seen the newest yet</span>}
        </dd>
        <dt>Address</dt>
        <dd>
          {item.workers.some((worker) => worker.url) ? (
            item.workers.map(
              (worker) =>
                worker.url && (
                  <span key={worker.worker} className="digest">
                    <a href={worker.url} target="_blank" rel="noreferrer">
                      {worker.url}
                    </a>
                    <Copy text={worker.url} what="address" />
                  </span>
                ),
            )
          ) : (
            <span className="faint">not public</span>
          )}
        </dd>
        {item.rejected.map((rejected) => (
          <div key={`${rejected.version} ${rejected.at}`} style={{ display: 'contents' }}>
            <dt>Went back</dt>
            <dd>
              from {rejected.version} <Time at={rejected.at} />: {rejected.message} <Code code={rejected.code} />
            </dd>
          </div>
        ))}
        {item.resources
          .filter((resource) => resource.drift.length > 0)
          .map((resource) => (
            <div key={resource.name} style={{ display: 'contents' }}>
              <dt>Drift</dt>
              <dd>
                {resource.name}: {resource.drift.join('; ')}
                <span className="muted">
                  ; {item.policy.drift === 'correct' ? 'it is corrected' : 'it is only reported'}
                </span>
              </dd>
            </div>
          ))}
      </dl>
    </Card>
  )
}

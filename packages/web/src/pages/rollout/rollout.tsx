import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import * as q from '../../api/queries.ts'
import type { RolloutDetail } from '../../api/types.ts'
import { useMay } from '../../app/session.tsx'
import { plural } from '../../format/words.ts'
import { Code } from '../../ui/copy.tsx'
import { PageSkeleton } from '../../ui/feedback.tsx'
import { Card, Page } from '../../ui/page.tsx'
import { PageFailed } from '../../ui/page-failed.tsx'
import { Status } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'
import { Timeline } from '../../ui/timeline.tsx'
import { RolloutControls } from './controls.tsx'
import { Evidence } from './evidence.tsx'
import { LeftOut } from './left-out.tsx'
import { Members } from './members.tsx'
import { Waves } from './waves.tsx'

const route = getRouteApi('/p/$project/rollouts/$rollout')

/** What is moving? */
export function RolloutPage() {
  const { project, rollout: id } = route.useParams()
  const query = useQuery(q.rollout(project, id))
  const may = useMay(project)
  if (query.isPending) return <PageSkeleton title="Rollout" blocks={[110, 260, 200]} />
  if (query.isError) return <PageFailed title="Rollout" error={query.error} again={() => void query.refetch()} />
  const rollout = query.data
  return (
    <Page
      entity
      title={`${rollout.version} to ${rollout.channel}`}
      browserTitle={`Rollout of ${rollout.version}`}
      above={
        <Link to="/p/$project/rollouts" params={{ project }}>
          Rollouts
        </Link>
      }
      beside={
        <>
          <Status state={rollout.phase} boxed />
          <span className="faint">
            started <Time at={rollout.createdAt} /> by {rollout.createdBy}
          </span>
        </>
      }
      sentence={rollout.sentence}
      actions={may('developer') && <RolloutControls project={project} rollout={rollout} />}
    >
      <section aria-label="Waves">
        <Waves rollout={rollout} />
      </section>
      <div className="columns side-right">
        <div className="stack wide">
          <Members project={project} rollout={rollout} />
          <LeftOut project={project} rollout={rollout} />
          <Evidence project={project} rollout={rollout} />
        </div>
        <div className="stack wide">
          <Card title="Decisions" hint={plural(rollout.decisions.length, 'decision')}>
            <Timeline entries={rollout.decisions} />
          </Card>
          <Facts project={project} rollout={rollout} />
        </div>
      </div>
    </Page>
  )
}

function Facts({ project, rollout }: { project: string; rollout: RolloutDetail }) {
  const { plan } = rollout
  return (
    <Card title="Plan">
      <dl className="pairs">
        <dt>Now</dt>
        <dd>
          {rollout.reason.message} <Code code={rollout.reason.code} />
        </dd>
        <dt>Release</dt>
        <dd>
          <Link to="/p/$project/releases/$release" params={{ project, release: rollout.version }}>
            {rollout.version}
          </Link>
        </dd>
        <dt>Waves</dt>
        <dd>
          {plan.waves.map((wave) => (
            <div key={wave.name}>
              {wave.name}: {wave.groups ? wave.groups.join(', ') : `${wave.share}% of all`}
              {wave.soak !== '0s' && `, holds ${wave.soak}`}
              {wave.pause && ', then a person resumes'}
            </div>
          ))}
        </dd>
        <dt>At a time</dt>
        <dd>{plan.maxInFlight}</dd>
        <dt>Must succeed</dt>
        <dd>{plan.minSuccess}% of those that count</dd>
        <dt>On failure</dt>
        <dd>
          {plan.onFailure === 'abort' ? 'aborts' : 'pauses'} at {plural(plan.maxFailures, 'failure')}
          {plan.rollbackReached ? '; an abort brings back what was reached' : ''}
        </dd>
      </dl>
    </Card>
  )
}

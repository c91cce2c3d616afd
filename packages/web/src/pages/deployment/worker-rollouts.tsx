import type { DeploymentDetail, WorkerRollout } from '../../api/types.ts'
import { seriesOf } from '../../charts/evidence.ts'
import { EvidencePlot } from '../../charts/evidence-plot.tsx'
import { lengthOfTime } from '../../format/time.ts'
import { Code } from '../../ui/copy.tsx'
import { Card } from '../../ui/page.tsx'
import { ShareBar } from '../../ui/share-bar.tsx'
import { Status } from '../../ui/status.tsx'
import { Timeline } from '../../ui/timeline.tsx'

/** How the traffic of each worker moves from stable to candidate, and on what evidence. */
export function WorkerRollouts({ item }: { item: DeploymentDetail }) {
  const moved = item.workers.filter((worker) => worker.phase !== null)
  if (moved.length === 0) return null
  const moving = moved.some((worker) => worker.candidateVersion !== null)
  return (
    <Card title="Traffic" hint={moving ? 'moves now' : 'as it last moved'}>
      {moved.map((worker) =>
        isSettled(worker) ? (
          <Settled key={worker.worker} worker={worker} />
        ) : (
          <Worker key={worker.worker} worker={worker} />
        ),
      )}
    </Card>
  )
}

/** Nothing moves and nothing was measured: one line says it all. */
const isSettled = (worker: WorkerRollout) => worker.candidateVersion === null && worker.series.length === 0

function Settled({ worker }: { worker: WorkerRollout }) {
  return (
    <section className="worker settled row between" aria-label={worker.worker}>
      <h3>{worker.worker}</h3>
      <span className="row">
        <span className="muted">
          <i className="swatch" />
          {worker.stableVersion ?? 'nothing'} serves all
        </span>
        {worker.phase && <Status state={worker.phase} boxed />}
      </span>
    </section>
  )
}

function Worker({ worker }: { worker: WorkerRollout }) {
  const shares = worker.steps.map((step) => step.share)
  return (
    <section className="worker stack" aria-label={worker.worker}>
      <div className="row between">
        <h3>{worker.worker}</h3>
        {worker.phase && <Status state={worker.phase} boxed />}
      </div>
      <ShareBar
        label={worker.worker}
        asked={worker.asked}
        served={worker.served}
        stable={worker.stableVersion}
        candidate={worker.candidateVersion}
      />
      {shares.length > 0 && (
        <ol className="steps" aria-label="Steps">
          {worker.steps.map((step, index) => {
            const now = index === worker.step && worker.phase === 'progressing'
            return (
              <li
                key={step.share}
                className={`step ${now ? 'now' : index < worker.step ? 'done' : ''}`}
                aria-current={now ? 'step' : undefined}
              >
                {step.share}%<span className="faint">{lengthOfTime(step.bakeMs)}</span>
              </li>
            )
          })}
        </ol>
      )}
      {worker.reason && (
        <p>
          {worker.reason.message} <Code code={worker.reason.code} />
        </p>
      )}
      {[...seriesOf(worker.series)].map(([analysis, series]) => (
        <EvidencePlot key={analysis} series={series} shares={shares} />
      ))}
      {worker.decisions.length > 0 && (
        <details>
          <summary>Decisions, {worker.decisions.length}</summary>
          <div style={{ paddingTop: 12 }}>
            <Timeline entries={worker.decisions} />
          </div>
        </details>
      )}
    </section>
  )
}

import type { Portal } from '../../api/types.ts'
import { modelOf } from '../../format/models.ts'
import { exactTime } from '../../format/time.ts'
import { Code } from '../../ui/copy.tsx'
import { ModelWord } from '../../ui/model.tsx'
import { Card } from '../../ui/page.tsx'
import { ShareBar } from '../../ui/share-bar.tsx'
import { Status } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'
import { Words } from '../../ui/words.tsx'

/** What runs, what arrives, and how the work comes here. */
export function Running({ page }: { page: Portal }) {
  const { deployment, running, arriving, answers } = page
  return (
    <Card title="What runs" hint={running && <Status state={running.health} />}>
      <div className="stack">
        {arriving && (
          <ShareBar
            label={deployment.name}
            asked={arriving.share}
            served={arriving.share ?? 0}
            stable={running?.version ?? null}
            candidate={arriving.version}
          />
        )}
        <dl className="pairs">
          <dt>Version</dt>
          <dd>
            {running ? (
              <>
                <strong>{running.version}</strong>
                {running.since && (
                  <span className="muted">
                    {' '}
                    since <Time at={running.since} />
                  </span>
                )}
              </>
            ) : (
              <span className="faint">nothing yet</span>
            )}
            {arriving && <span>, {arriving.version} is on its way</span>}
          </dd>
          <dt>Now</dt>
          <dd>
            <Words text={deployment.reason.message} /> <Code code={deployment.reason.code} />
          </dd>
          <dt>Updates</dt>
          <dd>{mayBegin(page)}</dd>
          <dt>How</dt>
          <dd>
            <ModelWord model={deployment.model} /> · {deployment.platform}
            <div className="muted">{modelOf(deployment.model).means}</div>
          </dd>
          <dt>Last seen</dt>
          <dd>
            <Time at={deployment.lastSeenAt} />
          </dd>
          {answers.length > 0 && (
            <>
              <dt>Answered</dt>
              <dd>
                {[...answers]
                  .sort((a, b) => b.at.localeCompare(a.at))
                  .slice(0, 3)
                  .map((answer) => (
                    <div key={`${answer.gate} ${answer.target} ${answer.at}`}>
                      {answer.status === 'pass' ? 'Approved' : 'Refused'} <Time at={answer.at} /> by {answer.by}
                      {answer.where === 'agent' ? ', at the agent' : ''}
                      {answer.message && <span className="muted">: “{answer.message}”</span>}
                    </div>
                  ))}
              </dd>
            </>
          )}
        </dl>
      </div>
    </Card>
  )
}

/** When the next update may begin, by what the customer set. */
function mayBegin({ settings, windows, vendor }: Portal): string {
  if (settings.access === 'revoked') return `none: ${vendor.name} has no access`
  if (settings.updates === 'paused') return 'none: you paused them'
  const approved = settings.updates === 'approval' ? ', once you approved it' : ''
  if (settings.windows.length === 0) return `may begin at any time${approved}`
  const at = windows.changesAt === null ? null : exactTime(Date.parse(windows.changesAt))
  if (windows.open) return `may begin now${approved}${at ? `, until ${at}` : ''}`
  return at ? `may begin from ${at} on${approved}` : 'none: no maintenance window opens any more'
}

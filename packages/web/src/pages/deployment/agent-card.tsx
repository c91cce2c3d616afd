import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import * as q from '../../api/queries.ts'
import type { AgentView, DeploymentDetail } from '../../api/types.ts'
import { useMay } from '../../app/session.tsx'
import { listed } from '../../format/words.ts'
import { Button } from '../../ui/button.tsx'
import { Code, Copy } from '../../ui/copy.tsx'
import { Failed, Notice, Skeleton } from '../../ui/feedback.tsx'
import { Card } from '../../ui/page.tsx'
import { Time } from '../../ui/time.tsx'
import { AgentSetupDialog } from './agent-setup.tsx'
import { clockInWords, droppedInWords, isClockOff, roads, settingNames, waitingInWords } from './agent-words.ts'

/** The agent that runs this deployment: who it is, when and by which road it was heard, and what it says of itself. */
export function AgentCard({ project, item }: { project: string; item: DeploymentDetail }) {
  const query = useQuery(q.agent(project, item.name))
  const may = useMay(project)
  const [making, setMaking] = useState(false)
  const agent = query.data
  return (
    <Card
      title="Agent"
      hint={
        agent &&
        (agent.enrolled ? (
          <>
            seen <Time at={agent.lastSeenAt} />
          </>
        ) : (
          'not enrolled'
        ))
      }
    >
      {query.isError ? (
        <Failed error={query.error} again={() => void query.refetch()} />
      ) : !agent ? (
        <Skeleton height={140} />
      ) : (
        <div className="stack">
          {agent.problems.map((problem) => (
            <Notice key={problem.code} tone="attention" icon="warning">
              <strong>{problem.message}</strong>
              <span className="row">
                <Code code={problem.code} /> <Time at={problem.since} />
              </span>
            </Notice>
          ))}
          {agent.enrolled ? (
            <Facts agent={agent} />
          ) : (
            <p className="muted">
              No agent is enrolled: nothing is done in this environment. Make a setup, carry it there, and start the
              agent with it.
            </p>
          )}
          {may('developer') && (
            <div>
              <Button look={agent.enrolled ? 'plain' : 'primary'} icon="key" onPress={() => setMaking(true)}>
                {agent.enrolled ? 'Set up again…' : 'Make the agent’s setup…'}
              </Button>
            </div>
          )}
          {making && <AgentSetupDialog project={project} item={item} agent={agent} onClose={() => setMaking(false)} />}
        </div>
      )}
    </Card>
  )
}

function Facts({ agent }: { agent: AgentView }) {
  const dropped = agent.telemetry?.dropped.map(droppedInWords) ?? []
  return (
    <dl className="pairs">
      <dt>Key</dt>
      <dd>
        {agent.key ? (
          <span className="digest" title="Compare it with what `landfall agent status` shows at the site">
            {agent.key}
            <Copy text={agent.key} what="key fingerprint" />
          </span>
        ) : (
          <span className="faint">unknown</span>
        )}
        <div className="muted">
          enrolled <Time at={agent.enrolledAt} />
        </div>
      </dd>
      <dt>Last report</dt>
      <dd>
        <Time at={agent.lastReportAt} />
        {agent.via && `, ${roads[agent.via]}`}
      </dd>
      <dt>Program</dt>
      <dd>
        {agent.version ?? 'unknown'}
        {agent.platform && <span className="muted"> on {agent.platform}</span>}
      </dd>
      <dt>Clock</dt>
      <dd className={isClockOff(agent.clockOffsetMs) ? 'attention-text' : ''}>{clockInWords(agent.clockOffsetMs)}</dd>
      <dt>Set there</dt>
      <dd>
        {agent.local.length > 0 ? (
          `${listed(agent.local.map((name) => settingNames[name] ?? name))}; these win over the portal’s`
        ) : (
          <span className="faint">nothing</span>
        )}
      </dd>
      {agent.telemetry && (
        <>
          <dt>Telemetry</dt>
          <dd>
            {waitingInWords(agent.telemetry.bytes)}
            {agent.telemetry.oldestAt !== null && agent.telemetry.bytes > 0 && (
              <span className="muted">
                , the oldest from <Time at={agent.telemetry.oldestAt} />
              </span>
            )}
            {dropped.map((line) => (
              <div key={line} className="attention-text">
                {line}
              </div>
            ))}
          </dd>
        </>
      )}
    </dl>
  )
}

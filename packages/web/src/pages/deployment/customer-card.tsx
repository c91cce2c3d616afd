import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import * as q from '../../api/queries.ts'
import type { Portal } from '../../api/types.ts'
import { useMay } from '../../app/session.tsx'
import { Button } from '../../ui/button.tsx'
import { Failed, Skeleton } from '../../ui/feedback.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Card } from '../../ui/page.tsx'
import { Time } from '../../ui/time.tsx'
import { Words } from '../../ui/words.tsx'
import { PortalLinkDialog } from './portal-link.tsx'

const WindowLine = lazy(() =>
  import('../portal/windows/window-line.tsx').then((part) => ({ default: part.WindowLine })),
)

const words = {
  updates: { automatic: 'automatic', approval: 'each waits for an approval', paused: 'paused by the customer' },
  approvals: { portal: 'given in the portal or at the agent', agent: 'given at the agent alone' },
  telemetry: { on: 'on', 'errors-only': 'errors only', off: 'off' },
  access: { granted: 'granted', revoked: 'taken back by the customer' },
} as const

/** What the customer said, which the vendor reads and cannot change; and the link by which they say it. */
export function CustomerCard({ project, name }: { project: string; name: string }) {
  const query = useQuery(q.customer(project, name))
  const may = useMay(project)
  const [linking, setLinking] = useState(false)
  return (
    <Card title="Customer" hint="the customer’s to say">
      <div className="stack">
        {query.isError ? (
          <Failed error={query.error} again={() => void query.refetch()} />
        ) : query.data ? (
          <Said page={query.data} />
        ) : (
          <Skeleton height={120} />
        )}
        {may('admin') && (
          <div>
            <Button icon="external" onPress={() => setLinking(true)}>
              Make a portal link…
            </Button>
          </div>
        )}
      </div>
      {linking && <PortalLinkDialog project={project} name={name} onClose={() => setLinking(false)} />}
    </Card>
  )
}

function Said({ page }: { page: Portal }) {
  const { settings, local, requests, answers } = page
  const here = (key: string) =>
    local.includes(key) && (
      <span className="muted">
        {' '}
        <Icon name="lock" size={12} /> set at the agent
      </span>
    )
  return (
    <dl className="pairs">
      <dt>Updates</dt>
      <dd>
        {words.updates[settings.updates]}
        {here('updates')}
      </dd>
      <dt>Approvals</dt>
      <dd>
        {words.approvals[settings.approvals]}
        {here('approvals')}
      </dd>
      <dt>Windows</dt>
      <dd>
        {settings.windows.length === 0
          ? 'none: at any time'
          : settings.windows.map((window) => (
              <Suspense key={`${window.rrule} ${window.start}`} fallback={<Skeleton height={40} />}>
                <WindowLine window={window} />
              </Suspense>
            ))}
        {here('windows')}
      </dd>
      <dt>Telemetry</dt>
      <dd>
        {words.telemetry[settings.telemetry]}
        {here('telemetry')}
      </dd>
      <dt>Access</dt>
      <dd className={settings.access === 'revoked' ? 'attention-text' : ''}>
        {words.access[settings.access]}
        {here('access')}
      </dd>
      {requests.length > 0 && (
        <>
          <dt>Asked</dt>
          <dd>
            {requests.map((request) => (
              <div key={`${request.gate} ${request.target}`}>
                <Words text={request.message} />{' '}
                <span className="muted">
                  <Time at={request.since} />
                </span>
              </div>
            ))}
          </dd>
        </>
      )}
      {answers.length > 0 && (
        <>
          <dt>Answered</dt>
          <dd>
            {[...answers]
              .sort((a, b) => b.at.localeCompare(a.at))
              .slice(0, 3)
              .map((answer) => (
                <div key={`${answer.gate} ${answer.at}`}>
                  {answer.status === 'pass' ? 'approved' : 'refused'} by {answer.by} <Time at={answer.at} />
                  {answer.where === 'agent' ? ' at the agent' : ' in the portal'}
                  {answer.message && <span className="muted">: “{answer.message}”</span>}
                </div>
              ))}
          </dd>
        </>
      )}
    </dl>
  )
}

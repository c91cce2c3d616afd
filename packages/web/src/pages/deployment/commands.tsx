import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import * as q from '../../api/queries.ts'
import type { Command, CommandDefinition } from '../../api/types.ts'
import { useMay } from '../../app/session.tsx'
import { Button } from '../../ui/button.tsx'
import { Empty, Failed, Skeleton } from '../../ui/feedback.tsx'
import { Fresh } from '../../ui/fresh.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Card } from '../../ui/page.tsx'
import { Status } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'
import { useSteadyList } from '../../ui/use-steady-list.ts'
import { CommandResult } from './command-result.tsx'
import { SendCommand } from './send-command.tsx'

const route = getRouteApi('/p/$project/deployments/$deployment/commands')

/** How a command that was not given at once came to its worker. */
const roads: Record<Command['via'], string> = {
  direct: '',
  bundle: ', carried in a bundle',
  agent: ', given at the site',
}

/** What can be called, what was called, and what came back. */
export function Commands() {
  const { project, deployment } = route.useParams()
  const { show } = route.useSearch()
  const navigate = route.useNavigate()
  const detail = useQuery(q.deployment(project, deployment))
  const list = useQuery(q.commands(project, deployment))
  const steady = useSteadyList(list.data?.items ?? [], (item: Command) => item.id, deployment)
  const [sending, setSending] = useState<CommandDefinition | null>(null)
  const may = useMay(project)
  const definitions = detail.data?.commands ?? []
  const shown = show ?? steady.shown[0]?.id
  return (
    <div className="columns">
      <div className="stack wide">
        <Card title="Commands of this release" hint={detail.data?.actual?.version} flush>
          {definitions.length === 0 ? (
            <div className="card-body muted">The release that runs here defines none.</div>
          ) : (
            <ul className="members">
              {definitions.map((definition) => (
                <li key={`${definition.worker} ${definition.name}`} className="member command-line offer">
                  <span className="two-line">
                    <strong>{definition.name}</strong>
                    <small>{definition.description ?? `of ${definition.worker}`}</small>
                  </span>
                  {may('developer') && (
                    <Button aria-label={`Send ${definition.name}`} onPress={() => setSending(definition)}>
                      Send…
                    </Button>
                  )}
                </li>
              ))}
            </ul>
          )}
        </Card>
        <Card title="Sent" flush>
          <div {...steady.engage}>
            <Fresh count={steady.fresh} letIn={steady.letIn} />
            {list.isPending && <Skeleton height={160} />}
            {list.isError && <Failed error={list.error} again={() => void list.refetch()} />}
            {list.isSuccess && steady.shown.length === 0 && (
              <Empty
                icon="terminal"
                title="No command was sent yet"
                teach={[`landfall command ${deployment} NAME --input '{}'`]}
              />
            )}
            {steady.shown.length > 0 && (
              <ul className="members">
                {steady.shown.map((item) => (
                  <li key={item.id} className={`member command-line ${item.id === shown ? 'chosen' : ''}`}>
                    <span className="two-line">
                      <Link
                        to="/p/$project/deployments/$deployment/commands"
                        params={{ project, deployment }}
                        search={{ show: item.id }}
                        resetScroll={false}
                        className="name"
                        aria-current={item.id === shown ? 'true' : undefined}
                      >
                        {item.command}
                      </Link>
                      <small className="truncate">
                        <Time at={item.createdAt} /> by {item.createdBy}
                        {roads[item.via]}
                      </small>
                    </span>
                    <Status state={item.status} moving={item.status === 'running'} />
                    <span className="faint chevron">
                      <Icon name="right" size={14} />
                    </span>
                  </li>
                ))}
              </ul>
            )}
          </div>
        </Card>
      </div>
      {shown ? <CommandResult project={project} deployment={deployment} id={shown} /> : <span />}
      {sending && (
        <SendCommand
          project={project}
          deployment={deployment}
          definition={sending}
          onClose={() => setSending(null)}
          onSent={(id) => void navigate({ search: { show: id }, resetScroll: false })}
        />
      )}
    </div>
  )
}

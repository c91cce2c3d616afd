import { useQuery, useQueryClient } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import * as q from '../../api/queries.ts'
import { useMay } from '../../app/session.tsx'
import { lengthOfTime } from '../../format/time.ts'
import { announce } from '../../ui/announce.tsx'
import { Button } from '../../ui/button.tsx'
import { Code, Copy } from '../../ui/copy.tsx'
import { Failed, Notice, Skeleton } from '../../ui/feedback.tsx'
import { Card } from '../../ui/page.tsx'
import { Status } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'

/** One command: how it stands, what it wrote while it ran, and what it answered. */
export function CommandResult({ project, deployment, id }: { project: string; deployment: string; id: string }) {
  const query = useQuery(q.command(project, deployment, id))
  const queries = useQueryClient()
  const may = useMay(project)
  if (query.isPending) return <Skeleton height={320} />
  if (query.isError) return <Failed error={query.error} again={() => void query.refetch()} />
  const item = query.data
  const open = item.status === 'queued' || item.status === 'running'
  const took = item.startedAt && item.finishedAt ? Date.parse(item.finishedAt) - Date.parse(item.startedAt) : null
  const cancel = async () => {
    try {
      await api.cancelCommand({ params: { project, deployment, command: id } })
      await queries.invalidateQueries()
    } catch (error) {
      announce(error instanceof Error ? error.message : 'The command was not cancelled.')
    }
  }
  const result = item.result === null ? null : JSON.stringify(item.result, null, 2)
  return (
    <Card title={`Result of ${item.command}`} hint={<Status state={item.status} moving={item.status === 'running'} />}>
      <div className="stack wide">
        {item.error && (
          <Notice tone="danger" icon="failed">
            <strong>{item.error.message}</strong>
            <Code code={item.error.code} />
          </Notice>
        )}
        {result !== null && (
          <section className="stack tight" aria-label="Result">
            <div className="row between">
              <h3>Result</h3>
              <Copy text={result} what="result" />
            </div>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scroll region must be reachable by keyboard */}
            <pre className="output" tabIndex={0}>
              {result}
            </pre>
          </section>
        )}
        <section className="stack tight" aria-label="Output">
          <h3>Output</h3>
          {item.output === '' ? (
            <p className="faint">{open ? 'Nothing yet.' : 'It wrote nothing.'}</p>
          ) : (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: a scroll region must be reachable by keyboard
            <pre className="output" tabIndex={0}>
              {item.output}
            </pre>
          )}
        </section>
        <dl className="pairs">
          <dt>Input</dt>
          <dd className="mono">{JSON.stringify(item.input)}</dd>
          <dt>Sent</dt>
          <dd>
            <Time at={item.createdAt} /> by {item.createdBy}, to {item.worker}
          </dd>
          <dt>Attempt</dt>
          <dd>{item.attempt}</dd>
          {took !== null && (
            <>
              <dt>Took</dt>
              <dd>{lengthOfTime(took)}</dd>
            </>
          )}
          <dt>Deadline</dt>
          <dd>
            <Time at={item.deadline} />
          </dd>
          <dt>Id</dt>
          <dd className="digest">
            {item.id}
            <Copy text={item.id} what="id" />
          </dd>
        </dl>
        {open && may('developer') && (
          <div>
            <Button icon="stop" onPress={() => void cancel()}>
              Cancel {item.command}
            </Button>
          </div>
        )}
      </div>
    </Card>
  )
}

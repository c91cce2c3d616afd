import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { api } from '../../api/client.ts'
import * as q from '../../api/queries.ts'
import type { DeploymentDetail, ImportedExport } from '../../api/types.ts'
import { useMay } from '../../app/session.tsx'
import { listed, plural } from '../../format/words.ts'
import { Button } from '../../ui/button.tsx'
import { Copy } from '../../ui/copy.tsx'
import { Failed, Notice } from '../../ui/feedback.tsx'
import { Card } from '../../ui/page.tsx'
import { Time } from '../../ui/time.tsx'

/** A large file over a slow line. Milliseconds. */
const patience = 30 * 60_000

/** The road to a site without network: the two commands of a round trip, and the way back as an upload. */
export function SiteRoad({ project, item }: { project: string; item: DeploymentDetail }) {
  const agent = useQuery(q.agent(project, item.name))
  const may = useMay(project)
  const version = item.newest ?? item.target?.version ?? 'VERSION'
  const commands = [
    {
      when: 'Here, to make a bundle for the site',
      line: `landfall bundle create ${version} --deployment ${item.name}`,
    },
    { when: 'Here, with what the site hands back', line: 'landfall bundle import FILE.export' },
  ]
  return (
    <Card title="By bundle" hint="no network: people carry files">
      <div className="stack">
        <p>
          {agent.data?.lastReportAt ? (
            <>
              Last reported <Time at={agent.data.lastReportAt} />
              {agent.data.via === 'export' ? ' by export' : ''}, then running {item.actual?.version ?? 'nothing'}. What
              is shown here is as old as that.
            </>
          ) : (
            'It has not reported yet.'
          )}{' '}
          {agent.data?.bundle && (
            <>
              A bundle{agent.data.bundle.version === null ? '' : ` for ${agent.data.bundle.version}`} was made{' '}
              <Time at={agent.data.bundle.at} /> by {agent.data.bundle.by}; whether it was carried there, its next
              report tells.
            </>
          )}
        </p>
        {commands.map(({ when, line }) => (
          <div key={line} className="stack tight">
            <span className="muted">{when}:</span>
            <div className="teach">
              <code>{line}</code>
              <Copy text={line} what="command" />
            </div>
          </div>
        ))}
        {may('developer') && <Import project={project} />}
      </div>
    </Card>
  )
}

function Import({ project }: { project: string }) {
  const queries = useQueryClient()
  const input = useRef<HTMLInputElement>(null)
  const [busy, setBusy] = useState<string | null>(null)
  const [taken, setTaken] = useState<ImportedExport | null>(null)
  const [error, setError] = useState<unknown>(null)
  const take = async (file: File) => {
    setBusy(file.name)
    setError(null)
    setTaken(null)
    try {
      setTaken(await api.importExport({ params: { project }, body: file }, { timeoutMs: patience }))
      await queries.invalidateQueries()
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(null)
    }
  }
  return (
    <div className="stack">
      <input
        ref={input}
        type="file"
        hidden
        aria-label="Export of a site"
        onChange={(event) => {
          const file = event.target.files?.[0]
          event.target.value = ''
          if (file) void take(file)
        }}
      />
      <div>
        <Button icon="upload" isPending={busy !== null} onPress={() => input.current?.click()}>
          {busy === null ? 'Import an export…' : `Taking in ${busy}…`}
        </Button>
      </div>
      {error !== null && <Failed error={error} />}
      <div role="status">{taken && <Taken taken={taken} />}</div>
    </div>
  )
}

function Taken({ taken }: { taken: ImportedExport }) {
  const { telemetry } = taken
  if (taken.status === 'already') {
    return (
      <Notice icon="circleCheck">
        <strong>
          Export {taken.sequence} of {taken.name} was taken in before; nothing was done.
        </strong>
      </Notice>
    )
  }
  const parts = [
    plural(taken.reports, 'report'),
    ...(taken.receipts.length > 0
      ? [`receipts for ${listed(taken.receipts.flatMap((receipt) => receipt.releases))}`]
      : []),
    ...(taken.commands.length > 0 ? [plural(taken.commands.length, 'result of a command', 'results of commands')] : []),
    `${plural(telemetry.logs, 'log line')}, ${plural(telemetry.metrics, 'metric')} and ${plural(telemetry.traces, 'trace')}`,
  ]
  return (
    <Notice icon="circleCheck">
      <strong>
        Export {taken.sequence} of {taken.name} is taken in{taken.enrolled ? '; its agent is enrolled' : ''}.
      </strong>
      <span className="muted">
        Made <Time at={taken.createdAt} />: {listed(parts)}.
      </span>
    </Notice>
  )
}

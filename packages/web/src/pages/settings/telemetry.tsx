import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import * as q from '../../api/queries.ts'
import { plural } from '../../format/words.ts'
import { Button } from '../../ui/button.tsx'
import { FormDialog } from '../../ui/dialog.tsx'
import { Failed, Skeleton } from '../../ui/feedback.tsx'
import { TextField } from '../../ui/field.tsx'
import { Section } from './section.tsx'
import { useAct } from './use-act.ts'

type Settings = Awaited<ReturnType<typeof api.getTelemetrySettings>>

/** How long telemetry is kept here, and where else it goes. */
export function Telemetry({ project, admin }: { project: string; admin: boolean }) {
  const query = useQuery(q.telemetry(project))
  const [editing, setEditing] = useState(false)
  return (
    <Section
      id="telemetry"
      title="Telemetry"
      hint="Logs, metrics and traces of the deployments, forwarded by OTLP/HTTP to what you run for it."
      action={
        admin &&
        query.data && (
          <Button aria-label="Change telemetry" onPress={() => setEditing(true)}>
            Change…
          </Button>
        )
      }
    >
      <div className="card-body">
        {query.isPending && <Skeleton height={60} />}
        {query.isError && <Failed error={query.error} again={() => void query.refetch()} />}
        {query.data && (
          <dl className="pairs">
            <dt>Kept for</dt>
            <dd>{plural(query.data.retentionDays, 'day')}</dd>
            <dt>Forwarded to</dt>
            <dd>
              {query.data.forward.length === 0
                ? 'nowhere'
                : query.data.forward.map((target) => (
                    <div key={target.url}>
                      {target.url}
                      {Object.keys(target.headers).length > 0 && (
                        <span className="faint"> with {Object.keys(target.headers).join(', ')}</span>
                      )}
                    </div>
                  ))}
            </dd>
          </dl>
        )}
      </div>
      {editing && query.data && (
        <EditTelemetry project={project} settings={query.data} onClose={() => setEditing(false)} />
      )}
    </Section>
  )
}

/** `Name: value` a line; a value of `***` stays what it is. */
const headersOf = (text: string) =>
  Object.fromEntries(
    text
      .split('\n')
      .map((line) => /^\s*([^:\s]+)\s*:\s*(.*?)\s*$/.exec(line))
      .flatMap((match) => (match ? [[match[1] ?? '', match[2] ?? '']] : [])),
  )

function EditTelemetry({ project, settings, onClose }: { project: string; settings: Settings; onClose: () => void }) {
  const act = useAct()
  const [days, setDays] = useState(String(settings.retentionDays))
  const [url, setUrl] = useState(settings.forward[0]?.url ?? '')
  const [headers, setHeaders] = useState(
    Object.entries(settings.forward[0]?.headers ?? {})
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
  )
  return (
    <FormDialog
      open
      title="Telemetry"
      verb="Save telemetry"
      onClose={onClose}
      onSubmit={async () => {
        const first = url === '' ? [] : [{ url, headers: headersOf(headers) }]
        await api.putTelemetrySettings({
          params: { project },
          body: { retentionDays: Number(days), forward: [...first, ...settings.forward.slice(1)] },
        })
        await act(() => Promise.resolve(), 'Telemetry settings are saved.')
      }}
    >
      <TextField
        label="Keep for days"
        inputMode="numeric"
        value={days}
        onChange={setDays}
        note="1 to 90. What is older is deleted."
      />
      <TextField
        label="Forward to (optional)"
        type="url"
        value={url}
        onChange={setUrl}
        placeholder="https://otlp.example.com"
        note="Base address of an OTLP/HTTP endpoint."
      />
      <TextField
        label="Headers"
        lines={3}
        mono
        value={headers}
        onChange={setHeaders}
        note="One a line, Name: value. Values are secrets: *** stays as it is."
      />
    </FormDialog>
  )
}

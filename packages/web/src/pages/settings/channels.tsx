import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import * as q from '../../api/queries.ts'
import { plural } from '../../format/words.ts'
import { Button } from '../../ui/button.tsx'
import { FormDialog } from '../../ui/dialog.tsx'
import { Empty, Failed, Skeleton } from '../../ui/feedback.tsx'
import { TextField } from '../../ui/field.tsx'
import { Section } from './section.tsx'
import { useAct } from './use-act.ts'

type Plan = NonNullable<Parameters<typeof api.putChannel>[0]['body']>['plan']

interface Edited {
  name: string
  description: string
  plan: string
  fresh: boolean
}

/** Named streams of releases, each with the plan by which its releases reach deployments. */
export function Channels({ project, admin, editor }: { project: string; admin: boolean; editor: boolean }) {
  const list = useQuery(q.channels(project))
  const act = useAct()
  const [edited, setEdited] = useState<Edited | null>(null)
  return (
    <Section
      id="channels"
      title="Channels"
      hint="Streams of releases that deployments follow, each with its plan of waves."
      action={
        editor && (
          <Button icon="plus" onPress={() => setEdited({ name: '', description: '', plan: '', fresh: true })}>
            Make a channel
          </Button>
        )
      }
    >
      {list.isPending && <Skeleton height={80} />}
      {list.isError && <Failed error={list.error} again={() => void list.refetch()} />}
      {list.data?.items.length === 0 && (
        <Empty icon="rollout" title="No channel yet" teach={['landfall channels create stable']} />
      )}
      <ul className="members">
        {list.data?.items.map((channel) => (
          <li key={channel.name} className="member setting-line">
            <span className="two-line">
              <strong>{channel.name}</strong>
              <small>{channel.description || 'no description'}</small>
            </span>
            <span className="two-line">
              <span>
                {channel.plan.waves.map((wave) => wave.name).join(' → ')}; newest {channel.newest ?? 'none'}
              </span>
              <small>followed by {plural(channel.deployments, 'deployment')}</small>
            </span>
            <span className="row">
              {editor && (
                <Button
                  aria-label={`Edit ${channel.name}`}
                  onPress={() =>
                    setEdited({
                      name: channel.name,
                      description: channel.description,
                      plan: JSON.stringify(channel.plan, null, 2),
                      fresh: false,
                    })
                  }
                >
                  Edit…
                </Button>
              )}
              {admin && channel.deployments === 0 && (
                <Button
                  look="quiet"
                  aria-label={`Delete ${channel.name}`}
                  onPress={() =>
                    void act(
                      () => api.deleteChannel({ params: { project, channel: channel.name } }),
                      `${channel.name} is deleted.`,
                    )
                  }
                >
                  Delete
                </Button>
              )}
            </span>
          </li>
        ))}
      </ul>
      {edited && <EditChannel project={project} edited={edited} onClose={() => setEdited(null)} />}
    </Section>
  )
}

function EditChannel({ project, edited, onClose }: { project: string; edited: Edited; onClose: () => void }) {
  const act = useAct()
  const [name, setName] = useState(edited.name)
  const [description, setDescription] = useState(edited.description)
  const [plan, setPlan] = useState(edited.plan)
  return (
    <FormDialog
      open
      wide
      title={edited.fresh ? 'Make a channel' : `Edit the channel ${edited.name}`}
      verb={edited.fresh ? 'Make the channel' : `Save ${edited.name}`}
      onClose={onClose}
      onSubmit={async () => {
        const parsed = plan.trim() === '' ? undefined : (readJson(plan) as Plan)
        await api.putChannel({
          params: { project, channel: name },
          body: { description, ...(parsed !== undefined && { plan: parsed }) },
        })
        await act(() => Promise.resolve(), `${name} is saved.`)
      }}
    >
      {edited.fresh && <TextField label="Name" isRequired value={name} onChange={setName} />}
      <TextField label="Description" maxLength={500} value={description} onChange={setDescription} />
      <TextField
        label="Plan"
        lines={14}
        mono
        value={plan}
        onChange={setPlan}
        note="As JSON. Empty: one wave of all. The next release goes by it; a rollout that moves keeps its own."
      />
    </FormDialog>
  )
}

/** JSON that a person typed; a refusal in the same form as the manager's. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw Object.assign(new Error(`The plan is not JSON: ${cause instanceof Error ? cause.message : ''}`), {
      code: 'E_INPUT',
      hint: 'Mend it above; nothing was saved.',
    })
  }
}

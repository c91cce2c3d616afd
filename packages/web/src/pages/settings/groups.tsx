import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
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

/** Deployments that belong together: a customer, a ring. */
export function Groups({ project, admin, editor }: { project: string; admin: boolean; editor: boolean }) {
  const list = useQuery(q.groups(project))
  const act = useAct()
  const [edited, setEdited] = useState<{ name: string; description: string; fresh: boolean } | null>(null)
  return (
    <Section
      id="groups"
      title="Groups"
      hint="Deployments that belong together; waves name them."
      action={
        editor && (
          <Button icon="plus" onPress={() => setEdited({ name: '', description: '', fresh: true })}>
            Make a group
          </Button>
        )
      }
    >
      {list.isPending && <Skeleton height={80} />}
      {list.isError && <Failed error={list.error} again={() => void list.refetch()} />}
      {list.data?.items.length === 0 && (
        <Empty icon="fleet" title="No group yet" teach={['landfall groups create early']} />
      )}
      <ul className="members">
        {list.data?.items.map((group) => (
          <li key={group.name} className="member setting-line">
            <span className="two-line">
              <strong>{group.name}</strong>
              <small>{group.description || 'no description'}</small>
            </span>
            <Link to="/p/$project" params={{ project }} search={{ group: group.name }}>
              {plural(group.deployments, 'deployment')}
            </Link>
            <span className="row">
              {editor && (
                <Button aria-label={`Describe ${group.name}`} onPress={() => setEdited({ ...group, fresh: false })}>
                  Describe…
                </Button>
              )}
              {admin && group.deployments === 0 && (
                <Button
                  look="quiet"
                  aria-label={`Delete ${group.name}`}
                  onPress={() =>
                    void act(
                      () => api.deleteGroup({ params: { project, group: group.name } }),
                      `${group.name} is deleted.`,
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
      {edited && <EditGroup project={project} edited={edited} onClose={() => setEdited(null)} />}
    </Section>
  )
}

function EditGroup({
  project,
  edited,
  onClose,
}: {
  project: string
  edited: { name: string; description: string; fresh: boolean }
  onClose: () => void
}) {
  const act = useAct()
  const [name, setName] = useState(edited.name)
  const [description, setDescription] = useState(edited.description)
  return (
    <FormDialog
      open
      title={edited.fresh ? 'Make a group' : `Describe ${edited.name}`}
      verb={edited.fresh ? 'Make the group' : `Save ${edited.name}`}
      onClose={onClose}
      onSubmit={async () => {
        await api.putGroup({ params: { project, group: name }, body: { description } })
        await act(() => Promise.resolve(), `${name} is saved.`)
      }}
    >
      {edited.fresh && (
        <TextField
          label="Name"
          isRequired
          value={name}
          onChange={setName}
          note="Lower-case letters, digits and dashes."
        />
      )}
      <TextField label="Description" maxLength={500} value={description} onChange={setDescription} />
    </FormDialog>
  )
}

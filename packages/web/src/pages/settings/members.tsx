import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import * as q from '../../api/queries.ts'
import type { Role } from '../../api/types.ts'
import { announce } from '../../ui/announce.tsx'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog, FormDialog } from '../../ui/dialog.tsx'
import { Failed, Skeleton } from '../../ui/feedback.tsx'
import { TextField } from '../../ui/field.tsx'
import { Select } from '../../ui/select.tsx'
import { Time } from '../../ui/time.tsx'
import { Secret } from './secret.tsx'
import { Section } from './section.tsx'
import { useAct } from './use-act.ts'

const roles = [
  { value: 'admin', label: 'Admin: also people, tokens, setup, destroying' },
  { value: 'developer', label: 'Developer: also releases, rollouts, commands' },
  { value: 'viewer', label: 'Viewer: reads' },
]

/** Who may see and change this project. */
export function Members({ project, admin }: { project: string; admin: boolean }) {
  const list = useQuery(q.members(project))
  const who = useQuery(q.whoami())
  const queries = useQueryClient()
  const act = useAct()
  const [adding, setAdding] = useState(false)
  const [inviting, setInviting] = useState(false)
  const [leaving, setLeaving] = useState<{ id: string; name: string } | null>(null)
  const operator = who.data?.user?.operator === true
  return (
    <Section
      id="members"
      title="Members"
      hint="People with a role in this project. Each role includes those below it."
      action={
        <span className="row">
          {operator && <Button onPress={() => setInviting(true)}>Invite…</Button>}
          {admin && operator && (
            <Button icon="plus" onPress={() => setAdding(true)}>
              Add
            </Button>
          )}
        </span>
      }
    >
      {list.isPending && <Skeleton height={96} />}
      {list.isError && <Failed error={list.error} again={() => void list.refetch()} />}
      <ul className="members">
        {list.data?.items.map(({ user, role }) => (
          <li key={user.id} className="member setting-line">
            <span className="two-line">
              <strong>{user.name}</strong>
              <small className="truncate">{user.email}</small>
            </span>
            <span className="faint">
              seen <Time at={user.lastSeenAt} />
            </span>
            {admin ? (
              <span className="row">
                <Select
                  filter
                  label={`Role of ${user.name}`}
                  value={role}
                  onChange={(next) =>
                    void act(
                      () => api.setMember({ params: { project, user: user.id }, body: { role: next as Role } }),
                      `${user.name} is ${next} now.`,
                    )
                  }
                  options={[
                    { value: 'admin', label: 'Admin' },
                    { value: 'developer', label: 'Developer' },
                    { value: 'viewer', label: 'Viewer' },
                  ]}
                />
                <Button look="quiet" aria-label={`Remove ${user.name}`} onPress={() => setLeaving(user)}>
                  Remove…
                </Button>
              </span>
            ) : (
              <span className="tag">{role}</span>
            )}
          </li>
        ))}
      </ul>
      {adding && <AddMember project={project} onClose={() => setAdding(false)} />}
      {inviting && <Invite onClose={() => setInviting(false)} />}
      {leaving && (
        <ConfirmDialog
          open
          danger
          askReason={false}
          title={`Remove ${leaving.name} from ${project}?`}
          verb={`Remove ${leaving.name}`}
          onClose={() => setLeaving(null)}
          consequences={[
            { icon: 'lock', text: 'They see nothing of this project from now on; other projects are not touched.' },
            { icon: 'back', text: 'It can be undone: add them again.' },
          ]}
          onConfirm={async () => {
            await api.removeMember({ params: { project, user: leaving.id } })
            announce(`${leaving.name} was removed.`)
            await queries.invalidateQueries()
          }}
        />
      )}
    </Section>
  )
}

function AddMember({ project, onClose }: { project: string; onClose: () => void }) {
  const people = useQuery(q.people())
  const queries = useQueryClient()
  const [user, setUser] = useState('')
  const [role, setRole] = useState<string>('viewer')
  return (
    <FormDialog
      open
      title={`Add a person to ${project}`}
      verb={`Add as ${role}`}
      isDisabled={user === ''}
      onClose={onClose}
      onSubmit={async () => {
        await api.setMember({ params: { project, user }, body: { role: role as Role } })
        await queries.invalidateQueries()
      }}
    >
      <Select
        label="Person"
        value={user}
        onChange={setUser}
        options={(people.data?.items ?? []).map((person) => ({
          value: person.id,
          label: `${person.name} (${person.email})`,
        }))}
      />
      <Select label="Role" value={role} onChange={setRole} options={roles} />
      <p className="muted">Someone who has no account yet is invited first.</p>
    </FormDialog>
  )
}

function Invite({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient()
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const [link, setLink] = useState<string | null>(null)
  if (link !== null) {
    return (
      <Secret
        title={`The invitation of ${name}`}
        what="link"
        secret={link}
        note="It is shown once and lasts 72 hours. Send it to them alone."
        onClose={onClose}
      />
    )
  }
  return (
    <FormDialog
      open
      title="Invite a person to this Landfall"
      verb="Make the invitation"
      onClose={() => link === null && onClose()}
      onSubmit={async () => {
        const invited = await api.inviteUser({ body: { name, email } })
        setLink(invited.link)
        await queries.invalidateQueries()
        // The dialog that shows the link takes this one's place.
        await new Promise(() => {})
      }}
    >
      <TextField label="Name" isRequired maxLength={100} value={name} onChange={setName} />
      <TextField label="Email" type="email" isRequired value={email} onChange={setEmail} />
    </FormDialog>
  )
}

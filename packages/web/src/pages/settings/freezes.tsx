import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import * as q from '../../api/queries.ts'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog, FormDialog } from '../../ui/dialog.tsx'
import { Failed, Skeleton } from '../../ui/feedback.tsx'
import { TextField } from '../../ui/field.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Time } from '../../ui/time.tsx'
import { Section } from './section.tsx'
import { useAct } from './use-act.ts'

/** Times when nothing new starts. */
export function Freezes({ project, editor }: { project: string; editor: boolean }) {
  const list = useQuery(q.freezes(project))
  const act = useAct()
  const [making, setMaking] = useState(false)
  const [lifting, setLifting] = useState<{ id: string; reason: string } | null>(null)
  const inForce = list.data?.items.filter((freeze) => freeze.liftedAt === null) ?? []
  return (
    <Section
      id="freezes"
      title="Freezes"
      hint="While one is in force no deployment starts an update; what is on its way arrives, and going back is always allowed."
      action={
        editor && (
          <Button icon="freeze" onPress={() => setMaking(true)}>
            Freeze updates
          </Button>
        )
      }
    >
      {list.isPending && <Skeleton height={60} />}
      {list.isError && <Failed error={list.error} again={() => void list.refetch()} />}
      {list.isSuccess && inForce.length === 0 && <div className="card-body muted">Nothing is frozen.</div>}
      {inForce.length > 0 && (
        <ul className="members">
          {inForce.map((freeze) => (
            <li key={freeze.id} className="member setting-line">
              <span className="row">
                <Icon name="freeze" />
                <strong>{freeze.reason}</strong>
              </span>
              <span className="muted">
                {freeze.until ? (
                  <>
                    ends <Time at={freeze.until} />
                  </>
                ) : (
                  'until lifted'
                )}
                , by {freeze.createdBy} <Time at={freeze.createdAt} />
              </span>
              {editor && (
                <Button aria-label={`Lift ${freeze.reason}`} onPress={() => setLifting(freeze)}>
                  Lift…
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {making && <MakeFreeze project={project} onClose={() => setMaking(false)} />}
      {lifting && (
        <ConfirmDialog
          open
          askReason={false}
          title={`Lift the freeze “${lifting.reason}”?`}
          verb="Lift the freeze"
          onClose={() => setLifting(null)}
          consequences={[{ icon: 'moving', text: 'Rollouts that it held go on by themselves.' }]}
          onConfirm={async () => {
            await api.liftFreeze({ params: { project, id: lifting.id } })
            await act(() => Promise.resolve(), 'The freeze is lifted.')
          }}
        />
      )}
    </Section>
  )
}

function MakeFreeze({ project, onClose }: { project: string; onClose: () => void }) {
  const act = useAct()
  const [reason, setReason] = useState('')
  const [until, setUntil] = useState('')
  return (
    <FormDialog
      open
      title="Freeze updates?"
      verb="Freeze updates"
      isDisabled={reason.trim() === ''}
      onClose={onClose}
      onSubmit={async () => {
        await api.createFreeze({
          params: { project },
          body: { reason: reason.trim(), until: until === '' ? null : new Date(until).toISOString() },
        })
        await act(() => Promise.resolve(), 'Updates are frozen.')
      }}
    >
      <p className="muted">
        No deployment of {project} starts an update until the freeze ends. It can be lifted at any time.
      </p>
      <TextField
        label="Reason"
        isRequired
        maxLength={500}
        value={reason}
        onChange={setReason}
        note="Everyone who waits reads it."
      />
      <TextField
        label="Until (optional)"
        type="datetime-local"
        value={until}
        onChange={setUntil}
        note="In your time zone. Empty: until somebody lifts it."
      />
    </FormDialog>
  )
}

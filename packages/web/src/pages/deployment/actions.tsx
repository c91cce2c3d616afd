import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import * as q from '../../api/queries.ts'
import type { Control, DeploymentDetail } from '../../api/types.ts'
import { listed } from '../../format/words.ts'
import { announce } from '../../ui/announce.tsx'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog, type Consequence, FormDialog } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'
import { Menu, type MenuChoice } from '../../ui/menu.tsx'
import { Select } from '../../ui/select.tsx'

interface Asked {
  title: string
  verb: string
  danger?: boolean
  askReason?: boolean
  consequences: Consequence[]
  act: (reason: string | undefined) => Promise<unknown>
}

/** What a person may do to this deployment now. */
export function DeploymentActions({
  project,
  item,
  admin,
}: {
  project: string
  item: DeploymentDetail
  admin: boolean
}) {
  const queries = useQueryClient()
  const [asked, setAsked] = useState<Asked | null>(null)
  const [form, setForm] = useState<'pin' | 'destroy' | null>(null)
  const params = { project, deployment: item.name }
  const done = async (text: string) => {
    announce(text)
    await queries.invalidateQueries()
  }
  const control = (kind: Control) => async (reason: string | undefined) => {
    await api.controlDeployment({ params, body: { kind, ...(reason !== undefined && { reason }) } })
    await done(`Asked ${item.name} to ${kind.replace('-', ' ')}.`)
  }
  const stable = item.actual?.version ?? 'what it ran before'
  const next = item.target?.version ?? 'its target'
  const workers =
    listed(item.workers.filter((worker) => worker.phase !== null).map((worker) => worker.worker)) || 'its workers'
  const moving = item.phase === 'updating' || item.phase === 'setting-up'
  const paused = item.workers.some((worker) => worker.phase === 'paused')
  const asks: Record<string, Asked> = {
    pause: {
      title: `Pause the update of ${item.name}?`,
      verb: 'Pause this deployment',
      consequences: [
        { icon: 'pause', text: `${workers} keep the shares they serve now.` },
        { icon: 'back', text: 'It can be undone: resume goes on. Paused time counts toward no deadline.' },
      ],
      act: control('pause'),
    },
    resume: {
      title: `Resume the update of ${item.name}?`,
      verb: 'Resume this deployment',
      consequences: [{ icon: 'moving', text: `${workers} go on to ${next} from the share they serve.` }],
      act: control('resume'),
    },
    promote: {
      title: `Promote ${next} on ${item.name}?`,
      verb: 'Promote to the next step',
      consequences: [
        { icon: 'clock', text: 'The wait of this step is skipped; what is measured still counts.' },
        { icon: 'back', text: `Abort brings all traffic back to ${stable}.` },
      ],
      act: control('promote'),
    },
    'promote-full': {
      title: `Promote ${next} fully on ${item.name}?`,
      verb: 'Promote fully on 1 deployment',
      danger: true,
      consequences: [
        {
          icon: 'warning',
          text: 'All remaining steps, bakes and analyses are skipped: 100% of the traffic moves unmeasured.',
        },
        { icon: 'back', text: `Roll back brings ${stable} again.` },
      ],
      act: control('promote-full'),
    },
    abort: {
      title: `Abort the update of ${item.name}?`,
      verb: 'Abort on 1 deployment',
      danger: true,
      consequences: [
        { icon: 'back', text: `All traffic goes back to ${stable} at once, and ${next} is not tried again by itself.` },
        { icon: 'forward', text: 'Retry begins the update again.' },
      ],
      act: control('abort'),
    },
    retry: {
      title: `Try ${next} again on ${item.name}?`,
      verb: 'Retry on 1 deployment',
      consequences: [
        { icon: 'moving', text: 'The update begins at its first step, measured as before.' },
        { icon: 'warning', text: 'What made it fail may still be in the release.' },
      ],
      act: control('retry'),
    },
    rollback: {
      title: `Roll ${item.name} back?`,
      verb: 'Roll back 1 deployment',
      danger: true,
      consequences: [
        {
          icon: 'back',
          text: `It goes back from ${stable} to the release it ran before, without an approval or a window.`,
        },
        { icon: 'pin', text: 'It is pinned there: no rollout reaches it until it is unpinned.' },
        { icon: 'forward', text: 'It can be undone: unpin it, and it follows its channel again.' },
      ],
      act: async (reason) => {
        await api.rollbackDeployment({ params, body: reason === undefined ? {} : { reason } })
        await done(`${item.name} goes back.`)
      },
    },
    unpin: {
      title: `Unpin ${item.name}?`,
      verb: `Unpin from ${item.pinned ?? ''}`,
      askReason: false,
      consequences: [
        {
          icon: 'moving',
          text: `It follows ${item.channel} again, and may update to ${item.newest ?? 'the newest release'} by the channel’s plan.`,
        },
      ],
      act: async () => {
        await api.updateDeployment({ params, body: { pin: null } })
        await done(`${item.name} follows ${item.channel}.`)
      },
    },
    setup: {
      title: `Apply the setup of ${next} on ${item.name}?`,
      verb: `Apply ${item.setupDifference.length} changes`,
      askReason: false,
      consequences: [
        ...item.setupDifference.map((text): Consequence => ({ icon: 'plus', text })),
        {
          icon: 'lock',
          text: 'Frozen resources stay when a release goes back; they are deleted only with the deployment.',
        },
      ],
      act: async () => {
        await api.setupDeployment({ params, body: { release: item.target?.release ?? next } })
        await done('The setup is being applied.')
      },
    },
  }
  const ask = (kind: string) => () => setAsked(asks[kind] ?? null)
  const choices: MenuChoice[] = [
    ...(moving
      ? [
          { id: 'promote', label: 'Promote to the next step…', icon: 'forward' as const, onAction: ask('promote') },
          { id: 'promote-full', label: 'Promote fully…', icon: 'forward' as const, onAction: ask('promote-full') },
        ]
      : []),
    { id: 'rollback', label: 'Roll back…', icon: 'back', onAction: ask('rollback') },
    item.pinned
      ? { id: 'unpin', label: 'Unpin…', icon: 'pin', onAction: ask('unpin') }
      : { id: 'pin', label: 'Pin to a release…', icon: 'pin', onAction: () => setForm('pin') },
    ...(admin
      ? [{ id: 'destroy', label: 'Destroy…', icon: 'stop' as const, danger: true, onAction: () => setForm('destroy') }]
      : []),
  ]
  return (
    <>
      {item.setupDifference.length > 0 && admin && (
        <Button look="primary" onPress={ask('setup')}>
          Apply setup
        </Button>
      )}
      {moving && !paused && (
        <Button icon="pause" onPress={ask('pause')}>
          Pause
        </Button>
      )}
      {paused && (
        <Button icon="play" look="primary" onPress={ask('resume')}>
          Resume
        </Button>
      )}
      {moving && (
        <Button icon="stop" look="danger" onPress={ask('abort')}>
          Abort
        </Button>
      )}
      {(item.rejected.length > 0 || item.phase === 'failed') && !moving && (
        <Button icon="moving" onPress={ask('retry')}>
          Retry
        </Button>
      )}
      <Menu label={`More for ${item.name}`} trigger={<Button icon="dots">More</Button>} choices={choices} />
      {asked && <ConfirmDialog open {...asked} onConfirm={asked.act} onClose={() => setAsked(null)} />}
      {form === 'pin' && <PinDialog project={project} item={item} onClose={() => setForm(null)} />}
      {form === 'destroy' && <DestroyDialog project={project} item={item} onClose={() => setForm(null)} />}
    </>
  )
}

function PinDialog({ project, item, onClose }: { project: string; item: DeploymentDetail; onClose: () => void }) {
  const queries = useQueryClient()
  const releases = useQuery(q.releases(project))
  const [version, setVersion] = useState(item.actual?.version ?? '')
  return (
    <FormDialog
      open
      title={`Pin ${item.name} to a release`}
      verb={`Pin to ${version}`}
      isDisabled={version === ''}
      onClose={onClose}
      onSubmit={async () => {
        await api.updateDeployment({ params: { project, deployment: item.name }, body: { pin: version } })
        announce(`${item.name} is pinned to ${version}.`)
        await queries.invalidateQueries()
      }}
    >
      <p className="muted">
        No rollout reaches a pinned deployment, and it does not count in one. Unpin it at any time.
      </p>
      <Select
        label="Release"
        value={version}
        onChange={setVersion}
        options={(releases.data?.items ?? []).map((release) => ({
          value: release.version,
          label: `${release.version} (${release.channel})`,
        }))}
      />
    </FormDialog>
  )
}

function DestroyDialog({ project, item, onClose }: { project: string; item: DeploymentDetail; onClose: () => void }) {
  const queries = useQueryClient()
  const [typed, setTyped] = useState('')
  return (
    <FormDialog
      open
      title={`Destroy ${item.name}?`}
      verb={`Destroy ${item.name}`}
      look="danger solid"
      isDisabled={typed !== item.name}
      onClose={onClose}
      onSubmit={async () => {
        await api.destroyDeployment({ params: { project, deployment: item.name } })
        announce(`${item.name} is being destroyed.`)
        await queries.invalidateQueries()
      }}
    >
      <p>
        Everything it made in its environment is deleted, its data too:{' '}
        {listed(item.resources.map((resource) => resource.name))}. This cannot be undone.
      </p>
      <TextField label={`Type ${item.name} to go on`} value={typed} onChange={setTyped} autoComplete="off" />
    </FormDialog>
  )
}

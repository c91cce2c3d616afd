import { useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import * as q from '../../api/queries.ts'
import type { Config } from '../../api/types.ts'
import { useMay } from '../../app/session.tsx'
import { announce } from '../../ui/announce.tsx'
import { Button } from '../../ui/button.tsx'
import { DigestText } from '../../ui/copy.tsx'
import { FormDialog } from '../../ui/dialog.tsx'
import { Failed, Skeleton } from '../../ui/feedback.tsx'
import { TextField } from '../../ui/field.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Card } from '../../ui/page.tsx'
import { Time } from '../../ui/time.tsx'

const route = getRouteApi('/p/$project/deployments/$deployment/config')
type Input = Config['inputs'][number]
type Secret = Config['secrets'][number]

/** Inputs and secrets of this deployment: secrets are never shown, only who set which version when. */
export function ConfigPage() {
  const { project, deployment } = route.useParams()
  const query = useQuery(q.config(project, deployment))
  const [input, setInput] = useState<Input | null>(null)
  const [secret, setSecret] = useState<Secret | null>(null)
  const may = useMay(project)('developer')
  if (query.isPending) return <Skeleton height={320} />
  if (query.isError) return <Failed error={query.error} again={() => void query.refetch()} />
  const { inputs, secrets, digest } = query.data
  return (
    <div className="stack wide">
      <p className="muted row">
        <span>
          Inputs and versions of secrets are part of the target: a change makes a new one, which is rolled out.
        </span>
        <span>
          Digest <DigestText digest={digest} />
        </span>
      </p>
      <Card title="Inputs" flush>
        {inputs.length === 0 ? (
          <div className="card-body muted">The stack defines none.</div>
        ) : (
          <ul className="members">
            {inputs.map((each) => (
              <li key={each.name} className="member config-line">
                <span className="two-line">
                  <strong>{each.name}</strong>
                  <small>by the {each.providedBy}</small>
                </span>
                <span className="mono">
                  {each.value === null ? <span className="faint">not set</span> : String(each.value)}
                  {each.default && <span className="tag gap">default</span>}
                </span>
                <SetBy by={each.setBy} at={each.setAt} />
                {may && (
                  <Button aria-label={`Change ${each.name}`} onPress={() => setInput(each)}>
                    Change…
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Card>
      <Card title="Secrets" flush>
        {secrets.length === 0 ? (
          <div className="card-body muted">The stack defines none.</div>
        ) : (
          <ul className="members">
            {secrets.map((each) => (
              <li key={each.name} className="member config-line">
                <span className="two-line">
                  <strong className="row tight">
                    <Icon name="lock" size={14} /> {each.name}
                  </strong>
                  <small>{each.providedBy === 'generated' ? 'generated' : `by the ${each.providedBy}`}</small>
                </span>
                <span className="mono">
                  <span aria-hidden="true">••••••••</span>
                  <span className="visually-hidden">hidden</span> <span className="tag">version {each.version}</span>
                </span>
                <SetBy by={each.setBy} at={each.setAt} />
                {may && each.providedBy !== 'generated' && (
                  <Button aria-label={`Replace ${each.name}`} onPress={() => setSecret(each)}>
                    Replace…
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Card>
      {input && <InputDialog project={project} deployment={deployment} input={input} onClose={() => setInput(null)} />}
      {secret && (
        <SecretDialog project={project} deployment={deployment} secret={secret} onClose={() => setSecret(null)} />
      )}
    </div>
  )
}

function SetBy({ by, at }: { by: string | null; at: string | null }) {
  if (at === null) return <span className="faint">never set</span>
  return (
    <span className="muted">
      {by ?? 'Landfall'}, <Time at={at} />
    </span>
  )
}

interface Editing {
  project: string
  deployment: string
  onClose: () => void
}

function InputDialog({ project, deployment, input, onClose }: Editing & { input: Input }) {
  const queries = useQueryClient()
  const [text, setText] = useState(input.value === null ? '' : String(input.value))
  const typed = () => {
    if (text === '') return null
    if (typeof input.value === 'number') return Number(text)
    if (typeof input.value === 'boolean') return text === 'true'
    return text
  }
  return (
    <FormDialog
      open
      title={`Change ${input.name} of ${deployment}`}
      verb={text === '' ? `Reset ${input.name}` : `Set ${input.name}`}
      onClose={onClose}
      onSubmit={async () => {
        await api.putConfig({ params: { project, deployment }, body: { inputs: { [input.name]: typed() } } })
        announce(`${input.name} is set: the deployment has a new target.`)
        await queries.invalidateQueries()
      }}
    >
      <TextField label={input.name} value={text} onChange={setText} note="Empty: back to the stack’s default." />
      <p className="muted">
        This makes a new target of 1 deployment, which is rolled out like a release and can be set back.
      </p>
    </FormDialog>
  )
}

function SecretDialog({ project, deployment, secret, onClose }: Editing & { secret: Secret }) {
  const queries = useQueryClient()
  const [text, setText] = useState('')
  return (
    <FormDialog
      open
      title={`Replace ${secret.name} of ${deployment}`}
      verb={`Replace ${secret.name}`}
      isDisabled={text === ''}
      onClose={onClose}
      onSubmit={async () => {
        await api.putConfig({ params: { project, deployment }, body: { secrets: { [secret.name]: text } } })
        announce(`${secret.name} has a new version.`)
        await queries.invalidateQueries()
      }}
    >
      <TextField
        label="New value"
        type="password"
        autoComplete="off"
        value={text}
        onChange={setText}
        note="Sealed on arrival; nobody can read it back here."
      />
      <p className="muted">It becomes version {secret.version + 1} and makes a new target of 1 deployment.</p>
    </FormDialog>
  )
}

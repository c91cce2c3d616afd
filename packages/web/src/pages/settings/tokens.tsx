import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import * as q from '../../api/queries.ts'
import type { Token } from '../../api/types.ts'
import { announce } from '../../ui/announce.tsx'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog, FormDialog } from '../../ui/dialog.tsx'
import { Empty, Failed, Skeleton } from '../../ui/feedback.tsx'
import { TextField } from '../../ui/field.tsx'
import { Select } from '../../ui/select.tsx'
import { Time } from '../../ui/time.tsx'
import { Secret } from './secret.tsx'
import { Section } from './section.tsx'

const kinds = [
  { value: 'ci', label: 'CI: publishes releases of this project' },
  { value: 'deployer', label: 'Deployer: one deployment, for the customer’s person' },
  { value: 'agent', label: 'Agent: one deployment, for its agent' },
]

export function Tokens({ project }: { project: string }) {
  const list = useQuery(q.tokens(project))
  const queries = useQueryClient()
  const [making, setMaking] = useState(false)
  const [secret, setSecret] = useState<{ name: string; secret: string } | null>(null)
  const [revoking, setRevoking] = useState<Token | null>(null)
  const alive = list.data?.items.filter((token) => token.revokedAt === null) ?? []
  return (
    <Section
      id="tokens"
      title="Machine tokens"
      hint="For CI, customers’ links and agents. Kept as a hash; each can do only what its kind may."
      action={
        <Button icon="plus" onPress={() => setMaking(true)}>
          Issue a token
        </Button>
      }
    >
      {list.isPending && <Skeleton height={96} />}
      {list.isError && <Failed error={list.error} again={() => void list.refetch()} />}
      {list.isSuccess && alive.length === 0 && (
        <Empty icon="key" title="No token yet" teach={['landfall tokens create github-main --kind ci']} />
      )}
      <TokenLines tokens={alive} onRevoke={setRevoking} />
      {making && <IssueToken project={project} onClose={() => setMaking(false)} onIssued={setSecret} />}
      {secret && (
        <Secret
          title={`The token ${secret.name}`}
          what="token"
          secret={secret.secret}
          note="It is shown once: keep it where the machine reads it, and nowhere else."
          onClose={() => setSecret(null)}
        />
      )}
      {revoking && (
        <RevokeDialog
          token={revoking}
          onClose={() => setRevoking(null)}
          revoke={async () => {
            await api.revokeToken({ params: { project, id: revoking.id } })
            await queries.invalidateQueries()
          }}
        />
      )}
    </Section>
  )
}

export function TokenLines({ tokens, onRevoke }: { tokens: readonly Token[]; onRevoke: (token: Token) => void }) {
  if (tokens.length === 0) return null
  return (
    <ul className="members">
      {tokens.map((token) => (
        <li key={token.id} className="member setting-line">
          <span className="two-line">
            <strong>{token.name}</strong>
            <small className="mono">{token.prefix}…</small>
          </span>
          <span className="two-line">
            <span>
              <span className="tag">{token.kind}</span> used <Time at={token.lastUsedAt} />
            </span>
            <small>
              expires <Time at={token.expiresAt} />, by {token.createdBy}
            </small>
          </span>
          <Button look="quiet" aria-label={`Revoke ${token.name}`} onPress={() => onRevoke(token)}>
            Revoke…
          </Button>
        </li>
      ))}
    </ul>
  )
}

export function RevokeDialog({
  token,
  onClose,
  revoke,
}: {
  token: Token
  onClose: () => void
  revoke: () => Promise<unknown>
}) {
  return (
    <ConfirmDialog
      open
      danger
      askReason={false}
      title={`Revoke the token ${token.name}?`}
      verb={`Revoke ${token.name}`}
      onClose={onClose}
      consequences={[
        { icon: 'lock', text: 'Whatever uses it is refused from now on.' },
        { icon: 'warning', text: 'It can’t be undone: issue another token instead.' },
      ]}
      onConfirm={async () => {
        await revoke()
        announce(`${token.name} is revoked.`)
      }}
    />
  )
}

function IssueToken({
  project,
  onClose,
  onIssued,
}: {
  project: string
  onClose: () => void
  onIssued: (issued: { name: string; secret: string }) => void
}) {
  const queries = useQueryClient()
  const [kind, setKind] = useState('ci')
  const [name, setName] = useState('')
  const [deployment, setDeployment] = useState('')
  const [days, setDays] = useState('90')
  return (
    <FormDialog
      open
      title="Issue a machine token"
      verb="Issue the token"
      onClose={onClose}
      onSubmit={async () => {
        const issued = await api.createToken({
          params: { project },
          body: {
            kind: kind as 'ci' | 'deployer' | 'agent',
            name,
            expiresInDays: Number(days),
            ...(kind !== 'ci' && { deployment }),
          },
        })
        onIssued({ name, secret: issued.secret })
        await queries.invalidateQueries()
      }}
    >
      <Select label="Kind" value={kind} onChange={setKind} options={kinds} />
      <TextField
        label="Name"
        isRequired
        maxLength={100}
        value={name}
        onChange={setName}
        note="What it is for, such as github-main."
      />
      {kind !== 'ci' && <TextField label="Deployment" isRequired value={deployment} onChange={setDeployment} />}
      <TextField
        label="Expires in days"
        inputMode="numeric"
        isRequired
        value={days}
        onChange={setDays}
        note="At most 366."
      />
    </FormDialog>
  )
}

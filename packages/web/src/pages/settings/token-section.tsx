import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import type { Token } from '../../api/types.ts'
import { announce } from '../../ui/announce.tsx'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog, FormDialog } from '../../ui/dialog.tsx'
import { Failed, Skeleton } from '../../ui/feedback.tsx'
import { TextField } from '../../ui/field.tsx'
import { Time } from '../../ui/time.tsx'
import { Secret } from './secret.tsx'
import { Section } from './section.tsx'

interface Listed {
  data: { items: Token[] } | undefined
  isPending: boolean
  isError: boolean
  isSuccess: boolean
  error: unknown
  refetch: () => unknown
}

/** What an issuing dialog is given: the frame keeps name and days, the kind of token adds its own fields. */
export interface Issue {
  title: string
  note?: string
  fields?: ReactNode
  /** Resolves with the secret, which is shown once. */
  issue: (name: string, days: number) => Promise<string>
}

/** Tokens of one kind of holder: those that are alive, how one is issued and shown once, and how one is revoked. */
export function TokenSection({
  title,
  hint,
  list,
  empty,
  issuing,
  keep,
  revoke,
}: {
  title: string
  hint: string
  list: Listed
  empty: ReactNode
  issuing: Issue
  /** Said with the secret. */
  keep: string
  revoke: (token: Token) => Promise<unknown>
}) {
  const queries = useQueryClient()
  const [making, setMaking] = useState(false)
  const [secret, setSecret] = useState<{ name: string; secret: string } | null>(null)
  const [revoking, setRevoking] = useState<Token | null>(null)
  const alive = list.data?.items.filter((token) => token.revokedAt === null) ?? []
  return (
    <Section
      id="tokens"
      title={title}
      hint={hint}
      action={
        <Button icon="plus" onPress={() => setMaking(true)}>
          Issue a token
        </Button>
      }
    >
      {list.isPending && <Skeleton height={96} />}
      {list.isError && <Failed error={list.error} again={() => void list.refetch()} />}
      {list.isSuccess && alive.length === 0 && empty}
      <TokenLines tokens={alive} onRevoke={setRevoking} />
      {making && (
        <IssueDialog
          {...issuing}
          onClose={() => setMaking(false)}
          onIssued={async (issued) => {
            setSecret(issued)
            await queries.invalidateQueries()
          }}
        />
      )}
      {secret && (
        <Secret
          title={`The token ${secret.name}`}
          what="token"
          secret={secret.secret}
          note={keep}
          onClose={() => setSecret(null)}
        />
      )}
      {revoking && (
        <ConfirmDialog
          open
          danger
          askReason={false}
          title={`Revoke the token ${revoking.name}?`}
          verb={`Revoke ${revoking.name}`}
          onClose={() => setRevoking(null)}
          consequences={[
            { icon: 'lock', text: 'Whatever uses it is refused from now on.' },
            { icon: 'warning', text: 'It can’t be undone: issue another token instead.' },
          ]}
          onConfirm={async () => {
            await revoke(revoking)
            announce(`${revoking.name} is revoked.`)
            await queries.invalidateQueries()
          }}
        />
      )}
    </Section>
  )
}

function TokenLines({ tokens, onRevoke }: { tokens: readonly Token[]; onRevoke: (token: Token) => void }) {
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

function IssueDialog({
  title,
  note,
  fields,
  issue,
  onClose,
  onIssued,
}: Issue & { onClose: () => void; onIssued: (issued: { name: string; secret: string }) => Promise<void> }) {
  const [name, setName] = useState('')
  const [days, setDays] = useState('90')
  return (
    <FormDialog
      open
      title={title}
      verb="Issue the token"
      onClose={onClose}
      onSubmit={async () => onIssued({ name, secret: await issue(name, Number(days)) })}
    >
      <TextField label="Name" isRequired maxLength={100} value={name} onChange={setName} note={note} />
      {fields}
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

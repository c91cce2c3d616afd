import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import * as q from '../../api/queries.ts'
import type { Token } from '../../api/types.ts'
import { useSignInWhenNeeded } from '../../app/session.tsx'
import { plural } from '../../format/words.ts'
import { Button } from '../../ui/button.tsx'
import { FormDialog } from '../../ui/dialog.tsx'
import { Empty, Failed, PageSkeleton } from '../../ui/feedback.tsx'
import { TextField } from '../../ui/field.tsx'
import { Mark } from '../../ui/icon.tsx'
import { Page } from '../../ui/page.tsx'
import { Secret } from '../settings/secret.tsx'
import { Section } from '../settings/section.tsx'
import { RevokeDialog, TokenLines } from '../settings/tokens.tsx'

/** The signed-in person: who they are here, and their API tokens. */
export function Account() {
  useSignInWhenNeeded()
  const who = useQuery(q.whoami())
  const tokens = useQuery(q.ownTokens())
  const queries = useQueryClient()
  const [making, setMaking] = useState(false)
  const [secret, setSecret] = useState<{ name: string; secret: string } | null>(null)
  const [revoking, setRevoking] = useState<Token | null>(null)
  const alive = tokens.data?.items.filter((token) => token.revokedAt === null) ?? []
  const user = who.data?.user
  return (
    <>
      <header style={{ padding: '12px 20px' }}>
        <Link to="/" className="brand" style={{ padding: 0 }}>
          <Mark />
          <span>Landfall</span>
        </Link>
      </header>
      <main className="content">
        {who.isError ? (
          <Failed error={who.error} again={() => void who.refetch()} />
        ) : !user ? (
          <PageSkeleton title="Account" />
        ) : (
          <Page
            title="Account"
            sentence={`You are ${user.name}, ${user.email}${user.operator ? ', and run this Landfall' : ''}; you hold ${plural(alive.length, 'API token')}.`}
          >
            <Section
              id="tokens"
              title="API tokens"
              hint="For the terminal and for scripts. Each may do what you may."
              action={
                <Button icon="plus" onPress={() => setMaking(true)}>
                  Issue a token
                </Button>
              }
            >
              {tokens.isError && <Failed error={tokens.error} again={() => void tokens.refetch()} />}
              {tokens.isSuccess && alive.length === 0 && (
                <Empty icon="key" title="You hold no API token" teach={['landfall login']}>
                  The terminal makes one for itself when it signs in.
                </Empty>
              )}
              <TokenLines tokens={alive} onRevoke={setRevoking} />
            </Section>
          </Page>
        )}
      </main>
      {making && <IssueOwn onClose={() => setMaking(false)} onIssued={setSecret} />}
      {secret && (
        <Secret
          title={`The token ${secret.name}`}
          what="token"
          secret={secret.secret}
          note="It is shown once: keep it like a password."
          onClose={() => setSecret(null)}
        />
      )}
      {revoking && (
        <RevokeDialog
          token={revoking}
          onClose={() => setRevoking(null)}
          revoke={async () => {
            await api.revokeOwnToken({ params: { id: revoking.id } })
            await queries.invalidateQueries()
          }}
        />
      )}
    </>
  )
}

function IssueOwn({
  onClose,
  onIssued,
}: {
  onClose: () => void
  onIssued: (issued: { name: string; secret: string }) => void
}) {
  const queries = useQueryClient()
  const [name, setName] = useState('')
  const [days, setDays] = useState('90')
  return (
    <FormDialog
      open
      title="Issue an API token"
      verb="Issue the token"
      onClose={onClose}
      onSubmit={async () => {
        const issued = await api.createOwnToken({ body: { name, expiresInDays: Number(days) } })
        onIssued({ name, secret: issued.secret })
        await queries.invalidateQueries()
      }}
    >
      <TextField label="Name" isRequired maxLength={100} value={name} onChange={setName} />
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

import { useQueryClient } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { api } from '../../api/client.ts'
import { Button } from '../../ui/button.tsx'
import { Failed, Notice } from '../../ui/feedback.tsx'
import { TextField } from '../../ui/field.tsx'
import { Door } from './door.tsx'

const bootstrap = getRouteApi('/bootstrap')
const invited = getRouteApi('/invitation')

/** The first person of this Landfall, who may invite all others. */
export function FirstAccount() {
  return <Form token={bootstrap.useSearch().token} first sentence="Make the first account. It runs this Landfall." />
}

/** A person whose email address the invitation already holds. */
export function Invitation() {
  return <Form token={invited.useSearch().token} first={false} sentence="You were invited. Choose how you sign in." />
}

function Form({ token, first, sentence }: { token: string | undefined; first: boolean; sentence: string }) {
  const navigate = useNavigate()
  const queries = useQueryClient()
  const [email, setEmail] = useState('')
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    document.title = `${first ? 'First account' : 'Invitation'} · Landfall`
  }, [first])
  if (!token) {
    return (
      <Door sentence="This link is not whole.">
        <Notice tone="attention" icon="key">
          <strong>The token is missing from the address.</strong>
          <span>Copy the whole link, to its last character. A link works once.</span>
        </Notice>
      </Door>
    )
  }
  const submit = async () => {
    setBusy(true)
    setError(null)
    try {
      await api.bootstrap({ body: { token, name, password, ...(first && { email }) } })
      queries.clear()
      await navigate({ to: '/', search: {} })
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Door sentence={sentence}>
      <form
        className="stack wide"
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        {first && (
          <TextField label="Email" type="email" autoComplete="username" isRequired value={email} onChange={setEmail} />
        )}
        <TextField label="Name" autoComplete="name" isRequired maxLength={100} value={name} onChange={setName} />
        <TextField
          label="Password"
          type="password"
          autoComplete="new-password"
          isRequired
          minLength={12}
          maxLength={200}
          note="At least 12 characters. Four words are easier to keep than a riddle."
          value={password}
          onChange={setPassword}
        />
        {error !== null && <Failed error={error} />}
        <Button type="submit" look="primary" isPending={busy}>
          {busy ? 'Making the account…' : 'Make the account'}
        </Button>
      </form>
    </Door>
  )
}

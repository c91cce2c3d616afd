import { useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, useRouter } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { api } from '../../api/client.ts'
import * as q from '../../api/queries.ts'
import { Button } from '../../ui/button.tsx'
import { Failed, Notice, Skeleton } from '../../ui/feedback.tsx'
import { TextField } from '../../ui/field.tsx'
import { Door } from './door.tsx'
import { signOnProblem } from './sign-on-problem.ts'

const route = getRouteApi('/sign-in')

export function SignIn() {
  const { to, problem } = route.useSearch()
  const refused = signOnProblem(problem)
  const router = useRouter()
  const queries = useQueryClient()
  const ways = useQuery(q.providers())
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    document.title = 'Sign in · Landfall'
  }, [])
  const signIn = async () => {
    setBusy(true)
    setError(null)
    try {
      await api.login({ body: { email, password } })
      queries.clear()
      router.history.push(to ?? '/')
    } catch (caught) {
      // What was typed stays, so that a slip is mended, not typed anew.
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Door sentence="Sign in to see who runs what.">
      {refused && error === null && <Failed error={refused} />}
      {ways.isPending && <Skeleton height={120} />}
      {ways.isError && <Failed error={ways.error} again={() => void ways.refetch()} />}
      {ways.data?.needsBootstrap && (
        <Notice tone="attention" icon="key">
          <strong>Nobody has an account yet.</strong>
          <span>
            Open the bootstrap link that <code>landfall serve</code> printed when it first started.
          </span>
        </Notice>
      )}
      {ways.data?.oidc && (
        <a className="button primary" href={`/api/auth/oidc/start${to ? `?to=${encodeURIComponent(to)}` : ''}`}>
          Continue with {ways.data.oidc.name}
        </a>
      )}
      {ways.data?.oidc && ways.data.local && <span className="or">or</span>}
      {ways.data?.local && (
        <form
          className="stack wide"
          onSubmit={(event) => {
            event.preventDefault()
            void signIn()
          }}
        >
          <TextField label="Email" type="email" autoComplete="username" isRequired value={email} onChange={setEmail} />
          <TextField
            label="Password"
            type="password"
            autoComplete="current-password"
            isRequired
            value={password}
            onChange={setPassword}
          />
          {error !== null && <Failed error={error} />}
          <Button type="submit" look={ways.data.oidc ? 'plain' : 'primary'} isPending={busy}>
            {busy ? 'Signing in…' : 'Sign in'}
          </Button>
        </form>
      )}
    </Door>
  )
}

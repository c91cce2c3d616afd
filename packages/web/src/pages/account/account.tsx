import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { api } from '../../api/client.ts'
import * as q from '../../api/queries.ts'
import { useSignInWhenNeeded } from '../../app/session.tsx'
import { plural } from '../../format/words.ts'
import { Empty, PageSkeleton } from '../../ui/feedback.tsx'
import { Mark } from '../../ui/icon.tsx'
import { Page } from '../../ui/page.tsx'
import { PageFailed } from '../../ui/page-failed.tsx'
import { TokenSection } from '../settings/token-section.tsx'

/** The signed-in person: who they are here, and their API tokens. */
export function Account() {
  useSignInWhenNeeded()
  const who = useQuery(q.whoami())
  const tokens = useQuery(q.ownTokens())
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
          <PageFailed title="Account" error={who.error} again={() => void who.refetch()} />
        ) : !user ? (
          <PageSkeleton title="Account" />
        ) : (
          <Page
            title="Account"
            sentence={`You are ${user.name}, ${user.email}${user.operator ? ', and run this Landfall' : ''}; you hold ${plural(alive.length, 'API token')}.`}
          >
            <TokenSection
              title="API tokens"
              hint="For the terminal and for scripts. Each may do what you may."
              list={tokens}
              empty={
                <Empty icon="key" title="You hold no API token" teach={['landfall login']}>
                  The terminal makes one for itself when it signs in.
                </Empty>
              }
              keep="It is shown once: keep it like a password."
              revoke={({ id }) => api.revokeOwnToken({ params: { id } })}
              issuing={{
                title: 'Issue an API token',
                issue: async (name, expiresInDays) =>
                  (await api.createOwnToken({ body: { name, expiresInDays } })).secret,
              }}
            />
          </Page>
        )}
      </main>
    </>
  )
}

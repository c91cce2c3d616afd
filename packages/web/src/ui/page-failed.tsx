import { failureOf } from '../api/failure.ts'
import { Failed } from './feedback.tsx'
import { Page } from './page.tsx'

/** A page whose answer did not come: it says so where the answer would stand. */
export function PageFailed({ title, error, again }: { title: string; error: unknown; again: () => void }) {
  const unknown = failureOf(error).code === 'E_NOT_FOUND'
  return (
    <Page
      title={title}
      sentence={unknown ? 'What this address names is not here.' : 'This page has no answer right now.'}
    >
      <Failed error={error} again={unknown ? undefined : again} />
    </Page>
  )
}

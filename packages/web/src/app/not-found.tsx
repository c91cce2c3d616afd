import { Link } from '@tanstack/react-router'
import { Empty, Failed } from '../ui/feedback.tsx'

export function NotFound() {
  return (
    <main className="content">
      <Empty icon="unknown" title="There is no such page">
        The address may be mistyped, or what it named is gone. <Link to="/">Go to the projects</Link>
      </Empty>
    </main>
  )
}

/** A page that broke, or whose code could not be loaded after an update of the manager. */
export function PageError({ error }: { error: unknown }) {
  return (
    <div className="page">
      <Failed error={error} again={() => location.reload()} />
    </div>
  )
}

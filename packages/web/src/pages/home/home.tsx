import { useQuery } from '@tanstack/react-query'
import { Link, Navigate } from '@tanstack/react-router'
import * as q from '../../api/queries.ts'
import { useSignInWhenNeeded } from '../../app/session.tsx'
import { UserMenu } from '../../app/user-menu.tsx'
import { plural } from '../../format/words.ts'
import { Empty, Failed, PageSkeleton } from '../../ui/feedback.tsx'
import { Mark } from '../../ui/icon.tsx'
import { Card, Page } from '../../ui/page.tsx'
import { Time } from '../../ui/time.tsx'

/** The projects. Who has just one goes straight to it, unless they came from there. */
export function Home() {
  useSignInWhenNeeded()
  const list = useQuery(q.projects())
  const items = list.data?.items ?? []
  const only = items.length === 1 ? items[0] : undefined
  if (only) return <Navigate to="/p/$project" params={{ project: only.name }} replace />
  return (
    <>
      <header className="row between" style={{ padding: '12px 20px' }}>
        <span className="brand" style={{ padding: 0 }}>
          <Mark />
          <span>Landfall</span>
        </span>
        <UserMenu compact />
      </header>
      <main className="content">
        {list.isError ? (
          <Failed error={list.error} again={() => void list.refetch()} />
        ) : list.isPending ? (
          <PageSkeleton title="Projects" blocks={[160]} />
        ) : (
          <Page
            title="Projects"
            sentence={items.length === 0 ? 'There is no project yet.' : `You see ${plural(items.length, 'project')}.`}
          >
            <Card flush>
              {items.length === 0 ? (
                <Empty icon="cube" title="Start with a stack" teach={['landfall init', 'landfall release']}>
                  A project is one product: its stack, its releases, its customers. The first release makes it.
                </Empty>
              ) : (
                <table className="table">
                  <thead>
                    <tr>
                      <th scope="col">Project</th>
                      <th scope="col">Deployments</th>
                      <th scope="col">Your role</th>
                      <th scope="col">Created</th>
                    </tr>
                  </thead>
                  <tbody>
                    {items.map((project) => (
                      <tr key={project.name}>
                        <td>
                          <Link to="/p/$project" params={{ project: project.name }} className="name">
                            {project.name}
                          </Link>
                        </td>
                        <td>{project.deployments}</td>
                        <td>{project.role ?? 'operator'}</td>
                        <td className="muted">
                          <Time at={project.createdAt} />
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              )}
            </Card>
          </Page>
        )}
      </main>
    </>
  )
}

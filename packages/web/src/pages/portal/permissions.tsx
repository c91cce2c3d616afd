import type { Portal } from '../../api/types.ts'
import { plural } from '../../format/words.ts'
import { Icon } from '../../ui/icon.tsx'
import { Card } from '../../ui/page.tsx'

/** What the software may do in the environment, and why: by resource. */
export function Permissions({ page }: { page: Portal }) {
  const resources = [...new Set(page.permissions.map(({ resource }) => resource))]
  return (
    <Card
      title="What it may do"
      hint={resources.length > 0 ? plural(page.permissions.length, 'permission') : undefined}
    >
      {resources.length === 0 ? (
        <p className="muted">Nothing yet: nothing was set up.</p>
      ) : (
        <ul className="stack">
          {resources.map((resource) => {
            const of = page.permissions.filter((permission) => permission.resource === resource)
            const frozen = of.some(({ lifecycle }) => lifecycle === 'frozen')
            return (
              <li key={resource} className="stack tight">
                <span className="row">
                  <strong>{resource}</strong>
                  {frozen && (
                    <span
                      className="tag"
                      title="Made at setup; afterwards it is only watched, never changed by a release"
                    >
                      <Icon name="freeze" size={12} /> frozen
                    </span>
                  )}
                </span>
                <ul className="permissions">
                  {of.map((permission) => (
                    <li key={permission.action}>
                      {permission.action}
                      <div className="muted">{permission.reason}</div>
                    </li>
                  ))}
                </ul>
              </li>
            )
          })}
        </ul>
      )}
    </Card>
  )
}

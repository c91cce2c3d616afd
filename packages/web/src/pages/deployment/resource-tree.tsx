import type { ResourceStatus } from '../../api/types.ts'
import { Code } from '../../ui/copy.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Status } from '../../ui/status.tsx'

/**
 * What the deployment is made of: the workers and whatever nothing depends on at the top, what they use below. A
 * resource used by several is shown below each; a cycle, which no manifest has, would not loop.
 */
export function ResourceTree({ resources }: { resources: readonly ResourceStatus[] }) {
  if (resources.length === 0) return <p className="muted">Nothing was made yet.</p>
  const byName = new Map(resources.map((resource) => [resource.name, resource]))
  const used = new Set(resources.flatMap((resource) => resource.dependsOn))
  const roots = resources.filter((resource) => !used.has(resource.name))
  const tops = roots.length > 0 ? roots : resources
  return (
    <ul className="tree">
      {tops.map((resource) => (
        <Branch key={resource.name} resource={resource} byName={byName} above={[]} />
      ))}
    </ul>
  )
}

function Branch({
  resource,
  byName,
  above,
}: {
  resource: ResourceStatus
  byName: ReadonlyMap<string, ResourceStatus>
  above: readonly string[]
}) {
  const below = resource.dependsOn.flatMap((name) => {
    const found = byName.get(name)
    return found && !above.includes(name) ? [found] : []
  })
  return (
    <li>
      <div className="tree-row">
        <span className="row">
          <strong>{resource.name}</strong>
          <span className="tag">{resource.type}</span>
          {resource.lifecycle === 'frozen' && (
            <span className="faint" title="Made at setup; releases never change it">
              <Icon name="lock" size={13} /> frozen
            </span>
          )}
        </span>
        <Status state={resource.phase} />
        {resource.reason && (
          <span className="detail">
            {resource.reason.message} <Code code={resource.reason.code} />
          </span>
        )}
        {resource.drift.map((drift) => (
          <span key={drift} className="detail status attention" style={{ whiteSpace: 'normal' }}>
            <Icon name="warning" /> drift: {drift}
          </span>
        ))}
      </div>
      {below.length > 0 && (
        <ul>
          {below.map((each) => (
            <Branch key={each.name} resource={each} byName={byName} above={[...above, resource.name]} />
          ))}
        </ul>
      )}
    </li>
  )
}

import { Link } from '@tanstack/react-router'
import type { CSSProperties } from 'react'
import type { Fleet } from '../../api/types.ts'

/** How the manager counts what runs no release yet; there is no filter for it. */
const none = 'none'

/** Groups × versions: who runs what. Each number leads to its deployments below. */
export function Adoption({ project, fleet }: { project: string; fleet: Fleet }) {
  return (
    <div className="matrix-scroll">
      <table className="matrix">
        <caption className="visually-hidden">Deployments of each group on each version</caption>
        <thead>
          <tr>
            <th scope="col">Group</th>
            {fleet.versions.map((version) => (
              <th key={version} scope="col">
                {version === none ? 'none yet' : version}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {fleet.groups.map(({ group, counts }) => {
            const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
            return (
              <tr key={group ?? ''}>
                <th scope="row">
                  {group ? (
                    <Link to="/p/$project" params={{ project }} search={{ group }} resetScroll={false}>
                      {group}
                    </Link>
                  ) : (
                    <span className="faint">no group</span>
                  )}{' '}
                  <span className="faint">{total}</span>
                </th>
                {fleet.versions.map((version) => {
                  const count = counts[version] ?? 0
                  if (count === 0) {
                    return (
                      <td key={version}>
                        <span>
                          <span aria-hidden="true">·</span>
                          <span className="visually-hidden">0</span>
                        </span>
                      </td>
                    )
                  }
                  if (version === none) {
                    return (
                      <td key={version}>
                        <span>{count}</span>
                      </td>
                    )
                  }
                  return (
                    <td key={version} style={{ '--part': count / total } as CSSProperties}>
                      <Link
                        to="/p/$project"
                        params={{ project }}
                        search={{ version, ...(group && { group }) }}
                        resetScroll={false}
                        aria-label={`${count} on ${version} in ${group ?? 'no group'}`}
                      >
                        {count}
                      </Link>
                    </td>
                  )
                })}
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

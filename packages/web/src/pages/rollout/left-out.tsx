import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { RolloutDetail, RolloutMember } from '../../api/types.ts'
import { plural } from '../../format/words.ts'
import { Button } from '../../ui/button.tsx'
import { Code } from '../../ui/copy.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Card } from '../../ui/page.tsx'
import { type LeftOutGroup, leftOutGroups } from './left-out-groups.ts'

const atFirst = 4

/** Who does not count in this rollout, and why: each reason once, in words, with those that it holds. */
export function LeftOut({ project, rollout }: { project: string; rollout: RolloutDetail }) {
  const groups = leftOutGroups(rollout.members)
  if (groups.length === 0) return null
  const count = groups.reduce((sum, group) => sum + group.members.length, 0)
  return (
    <Card title="Not counted" hint={`${plural(count, 'deployment')} that hold nothing up`}>
      <ul className="stack wide">
        {groups.map((group) => (
          <Group key={group.code} project={project} group={group} />
        ))}
      </ul>
    </Card>
  )
}

function Group({ project, group }: { project: string; group: LeftOutGroup }) {
  const [all, setAll] = useState(false)
  const shown = all ? group.members : group.members.slice(0, atFirst)
  return (
    <li className="left-out">
      <Icon name={group.icon} />
      <div className="stack tight">
        <span className="row between">
          <strong>
            {plural(group.members.length, 'deployment')} {group.words}
          </strong>
          <Code code={group.code} />
        </span>
        <ul className="stack tight">
          {shown.map((member) => (
            <Line key={member.deployment} project={project} member={member} />
          ))}
        </ul>
        {group.members.length > shown.length && (
          <div>
            <Button look="quiet" onPress={() => setAll(true)}>
              Show {group.members.length - shown.length} more
            </Button>
          </div>
        )}
      </div>
    </li>
  )
}

function Line({ project, member }: { project: string; member: RolloutMember }) {
  return (
    <li>
      <Link to="/p/$project/deployments/$deployment" params={{ project, deployment: member.name }} className="name">
        {member.name}
      </Link>{' '}
      <span className="muted">{member.reason?.message}</span>
    </li>
  )
}

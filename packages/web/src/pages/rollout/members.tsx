import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { RolloutDetail, RolloutMember } from '../../api/types.ts'
import { plural } from '../../format/words.ts'
import { Button } from '../../ui/button.tsx'
import { Card } from '../../ui/page.tsx'
import { ShareBar } from '../../ui/share-bar.tsx'
import { Status } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'

const order = ['in-flight', 'failed', 'returning', 'returned', 'waiting', 'succeeded']
const atFirst = 6

/** Each deployment that counts, with its share; what moves and what failed comes first. */
export function Members({ project, rollout }: { project: string; rollout: RolloutDetail }) {
  const [all, setAll] = useState(false)
  const sorted = rollout.members
    .filter(({ status }) => status !== 'excluded')
    .sort(
      (a, b) => order.indexOf(a.status) - order.indexOf(b.status) || a.wave - b.wave || a.name.localeCompare(b.name),
    )
  const shown = all ? sorted : sorted.slice(0, atFirst)
  return (
    <Card title="Deployments" hint={plural(sorted.length, 'deployment')} flush>
      <ul className="members">
        {shown.map((member) => (
          <Row key={member.deployment} project={project} rollout={rollout} member={member} />
        ))}
      </ul>
      {sorted.length > shown.length && (
        <div className="fresh">
          <Button look="quiet" onPress={() => setAll(true)}>
            Show {sorted.length - shown.length} more
          </Button>
        </div>
      )}
    </Card>
  )
}

function Row({ project, rollout, member }: { project: string; rollout: RolloutDetail; member: RolloutMember }) {
  const moving = member.status === 'in-flight' || member.status === 'returning'
  const there = member.status === 'succeeded'
  const spared = rollout.finishedAt !== null && member.status === 'waiting'
  return (
    <li className="member">
      <span className="two-line">
        <Link
          to="/p/$project/deployments/$deployment"
          params={{ project, deployment: member.name }}
          className="name truncate"
        >
          {member.name}
        </Link>
        <small className="truncate">
          {rollout.waves[member.wave]?.name ?? ''}
          {member.fromVersion ? ` · from ${member.fromVersion}` : ''}
        </small>
      </span>
      <Status state={spared ? 'not-reached' : member.status} />
      <span className="member-bar">
        {member.reason && !moving ? (
          <span className="muted">{member.reason.message}</span>
        ) : moving || there ? (
          <ShareBar
            label={member.name}
            asked={there ? 100 : member.asked}
            served={there ? 100 : (member.served ?? 0)}
            stable={member.fromVersion}
            candidate={rollout.version}
            words={moving}
          />
        ) : spared ? (
          <span className="faint">never told of {rollout.version}</span>
        ) : (
          <span className="faint">
            since <Time at={member.since} />
          </span>
        )}
      </span>
    </li>
  )
}

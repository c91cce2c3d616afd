import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import * as q from '../../api/queries.ts'
import { useMay } from '../../app/session.tsx'
import { plural } from '../../format/words.ts'
import { Page } from '../../ui/page.tsx'
import { Channels } from './channels.tsx'
import { Freezes } from './freezes.tsx'
import { Groups } from './groups.tsx'
import { Members } from './members.tsx'
import { Telemetry } from './telemetry.tsx'
import { Tokens } from './tokens.tsx'

const route = getRouteApi('/p/$project/settings')

export function Settings() {
  const { project } = route.useParams()
  const may = useMay(project)
  const members = useQuery(q.members(project))
  const freezes = useQuery(q.freezes(project))
  const frozen = freezes.data?.items.some((freeze) => freeze.liftedAt === null) ?? false
  const people = members.data ? plural(members.data.items.length, 'person has', 'people have') : 'People have'
  return (
    <Page
      title="Settings"
      browserTitle={`Settings of ${project}`}
      sentence={`${people} a role in ${project}, and updates ${frozen ? 'are frozen' : 'may start'}.`}
    >
      <nav className="row" aria-label="On this page">
        {['members', 'tokens', 'channels', 'groups', 'freezes', 'telemetry'].map((part) => (
          <a key={part} href={`#${part}`} className="tag jump">
            {part.charAt(0).toUpperCase() + part.slice(1)}
          </a>
        ))}
      </nav>
      <Members project={project} admin={may('admin')} />
      {may('admin') && <Tokens project={project} />}
      <Channels project={project} admin={may('admin')} editor={may('developer')} />
      <Groups project={project} admin={may('admin')} editor={may('developer')} />
      <Freezes project={project} editor={may('developer')} />
      <Telemetry project={project} admin={may('admin')} />
    </Page>
  )
}

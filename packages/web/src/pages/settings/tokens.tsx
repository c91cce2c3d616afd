import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import * as q from '../../api/queries.ts'
import { Empty } from '../../ui/feedback.tsx'
import { TextField } from '../../ui/field.tsx'
import { Select } from '../../ui/select.tsx'
import { TokenSection } from './token-section.tsx'

type Kind = 'ci' | 'deployer' | 'agent'
const kinds = [
  { value: 'ci', label: 'CI: publishes releases of this project' },
  { value: 'deployer', label: 'Deployer: one deployment, for the customer’s person' },
  { value: 'agent', label: 'Agent: one deployment, for its agent' },
]

/** The project's tokens for machines and customers. */
export function Tokens({ project }: { project: string }) {
  const list = useQuery(q.tokens(project))
  const [kind, setKind] = useState<Kind>('ci')
  const [deployment, setDeployment] = useState('')
  return (
    <TokenSection
      title="Machine tokens"
      hint="For CI, customers’ links and agents. Kept as a hash; each can do only what its kind may."
      list={list}
      empty={<Empty icon="key" title="No token yet" teach={['landfall tokens create github-main --kind ci']} />}
      keep="It is shown once: keep it where the machine reads it, and nowhere else."
      revoke={({ id }) => api.revokeToken({ params: { project, id } })}
      issuing={{
        title: 'Issue a machine token',
        note: 'What it is for, such as github-main.',
        fields: (
          <>
            <Select label="Kind" value={kind} onChange={(next) => setKind(next as Kind)} options={kinds} />
            {kind !== 'ci' && <TextField label="Deployment" isRequired value={deployment} onChange={setDeployment} />}
          </>
        ),
        issue: async (name, expiresInDays) => {
          const body = { kind, name, expiresInDays, ...(kind !== 'ci' && { deployment }) }
          return (await api.createToken({ params: { project }, body })).secret
        },
      }}
    />
  )
}

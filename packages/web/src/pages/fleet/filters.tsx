import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import type { DeploymentFilter } from '../../api/queries.ts'
import * as q from '../../api/queries.ts'
import { sentenceCase } from '../../format/words.ts'
import { Button } from '../../ui/button.tsx'
import { SearchField } from '../../ui/field.tsx'
import { type Option, Select } from '../../ui/select.tsx'

const route = getRouteApi('/p/$project/')
const models = ['push', 'pull', 'airgapped']
const healths = ['healthy', 'degraded', 'failed', 'unknown']
const phases = ['running', 'updating', 'returning', 'needs-setup', 'failed', 'access-revoked', 'pending']
/** What is typed becomes a request after this pause, in milliseconds. */
const typingPause = 200

const any = (
  label: string,
  values: readonly string[],
  name: (value: string) => string = (value) => value,
): Option[] => [{ value: '', label }, ...values.map((value) => ({ value, label: name(value) }))]

/** The filters of the table. They live in the address, so that a view can be sent to a colleague. */
export function Filters() {
  const { project } = route.useParams()
  const filter = route.useSearch()
  const navigate = route.useNavigate()
  const fleet = useQuery(q.fleet(project))
  const channels = useQuery(q.channels(project))
  const [text, setText] = useState(filter.text ?? '')
  const set = (change: DeploymentFilter) =>
    void navigate({ search: (old) => ({ ...old, ...change }), replace: true, resetScroll: false })
  useEffect(() => {
    const timer = setTimeout(() => {
      if (text !== (filter.text ?? ''))
        void navigate({ search: (old) => ({ ...old, text: text || undefined }), replace: true, resetScroll: false })
    }, typingPause)
    return () => clearTimeout(timer)
  }, [text, filter.text, navigate])
  const groups = fleet.data?.groups.flatMap(({ group }) => (group ? [group] : [])) ?? []
  const names = channels.data?.items.map((channel) => channel.name) ?? []
  const filtered = Object.values(filter).some((value) => value !== undefined)
  const chosen = (value: string | undefined) => value ?? ''
  return (
    <search className="filters" aria-label="Deployments">
      <SearchField label="Search deployments" value={text} onChange={setText} />
      <Select
        filter
        label="Group"
        value={chosen(filter.group)}
        onChange={(value) => set({ group: value || undefined })}
        options={any('Any group', groups)}
      />
      <Select
        filter
        label="Version"
        value={chosen(filter.version)}
        onChange={(value) => set({ version: value || undefined })}
        options={any('Any version', fleet.data?.versions.filter((version) => version !== 'none') ?? [])}
      />
      <Select
        filter
        label="Health"
        value={chosen(filter.health)}
        onChange={(value) => set({ health: (value || undefined) as DeploymentFilter['health'] })}
        options={any('Any health', healths, sentenceCase)}
      />
      <Select
        filter
        label="State"
        value={chosen(filter.phase)}
        onChange={(value) => set({ phase: value || undefined })}
        options={any('Any state', phases, sentenceCase)}
      />
      <Select
        filter
        label="Model"
        value={chosen(filter.model)}
        onChange={(value) => set({ model: (value || undefined) as DeploymentFilter['model'] })}
        options={any('Any model', models, sentenceCase)}
      />
      {names.length > 1 && (
        <Select
          filter
          label="Channel"
          value={chosen(filter.channel)}
          onChange={(value) => set({ channel: value || undefined })}
          options={any('Any channel', names)}
        />
      )}
      {filtered && (
        <Button
          look="quiet"
          icon="close"
          onPress={() => {
            setText('')
            void navigate({ search: {}, replace: true, resetScroll: false })
          }}
        >
          Clear
        </Button>
      )}
    </search>
  )
}

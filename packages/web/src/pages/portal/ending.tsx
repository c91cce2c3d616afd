import { useState } from 'react'
import { keepVisit } from '../../api/visit.ts'
import { announce } from '../../ui/announce.tsx'
import { Button } from '../../ui/button.tsx'
import { Consequences, FormDialog } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Card } from '../../ui/page.tsx'
import { Words } from '../../ui/words.tsx'
import { AccessButton } from './access.tsx'
import type { PartProps } from './home.tsx'
import { useCustomer } from './use-customer.ts'

/** How to end it: take the access back, or leave; and what ends it for good in the customer's own environment. */
export function Ending({ visit, page }: PartProps) {
  const [leaving, setLeaving] = useState(false)
  const locked = page.local.includes('access')
  const going = page.deployment.phase === 'deleting' || page.deployment.phase === 'deleted'
  return (
    <Card title="Ending it">
      <div className="stack">
        {locked ? (
          <span className="locked">
            <Icon name="lock" size={14} />
            <span>
              Access was {page.settings.access === 'granted' ? 'given' : 'taken back'} at the agent in your environment.
              What is set there wins: <code>landfall agent settings --portal access</code> gives it back to this page.
            </span>
          </span>
        ) : (
          <div className="row between">
            <span className="muted">Nothing more is done; what runs goes on.</span>
            <AccessButton visit={visit} page={page} look={page.settings.access === 'granted' ? 'danger' : 'plain'} />
          </div>
        )}
        <div className="row between">
          <span className="muted">Everything it made is deleted, its data too.</span>
          <Button look="danger" icon="leave" isDisabled={going} onPress={() => setLeaving(true)}>
            {going ? 'You are leaving' : 'Leave…'}
          </Button>
        </div>
        {page.leave.length > 0 && (
          <div className="stack tight">
            <h3>In your own environment, without asking anybody</h3>
            <ul className="portal-leave">
              {page.leave.map((line) => (
                <li key={line}>
                  <Words text={line} />
                </li>
              ))}
            </ul>
          </div>
        )}
      </div>
      {leaving && <LeaveDialog visit={visit} page={page} onClose={() => setLeaving(false)} />}
    </Card>
  )
}

function LeaveDialog({ visit, page, onClose }: PartProps & { onClose: () => void }) {
  const [typed, setTyped] = useState('')
  const { api, params, readAgain } = useCustomer(visit)
  const { name } = page.deployment
  const made = [...new Set(page.permissions.map(({ resource }) => resource))]
  return (
    <FormDialog
      open
      title={`Leave ${page.vendor.name}?`}
      verb={`Leave, and delete ${name}`}
      look="danger solid"
      isDisabled={typed !== name}
      onClose={onClose}
      onSubmit={async () => {
        await api.leaveVendor({ params })
        keepVisit({ ...visit, vendor: page.vendor.name, left: true })
        announce(`${name} is being deleted.`)
        await readAgain()
      }}
    >
      <Consequences
        items={[
          {
            icon: 'warning',
            text: `Everything that was made in your environment is deleted, with its data${made.length > 0 ? `: ${made.join(', ')}` : ''}. This cannot be undone: export what you need first, the audit too.`,
          },
          { icon: 'stop', text: `${page.running ? `${page.running.version} stops` : 'It stops'} answering.` },
          { icon: 'lock', text: 'This link ends when it is done.' },
        ]}
      />
      <TextField label={`Type ${name} to go on`} value={typed} onChange={setTyped} autoComplete="off" />
    </FormDialog>
  )
}

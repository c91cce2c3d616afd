import { useState } from 'react'
import type { LiveVisit } from '../../api/portal.ts'
import type { PortalRequest } from '../../api/types.ts'
import { announce } from '../../ui/announce.tsx'
import { Consequences, FormDialog } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'
import { secretOf } from './requests.tsx'
import { useCustomer } from './use-customer.ts'

/** Gives the value of a secret that the software needs from its customer. */
export function SecretDialog({
  visit,
  request,
  onClose,
}: {
  visit: LiveVisit
  request: PortalRequest
  onClose: () => void
}) {
  const { api, params, readAgain } = useCustomer(visit)
  const [value, setValue] = useState('')
  const name = secretOf(request)
  return (
    <FormDialog
      open
      title={`Give ${name}`}
      verb={`Give ${name}`}
      isDisabled={value === ''}
      onClose={onClose}
      onSubmit={async () => {
        await api.putConfig({ params, body: { secrets: { [name]: value } } })
        announce(`${name} is set.`)
        await readAgain()
      }}
    >
      <p>{request.message}</p>
      <TextField label={name} type="password" autoComplete="off" isRequired value={value} onChange={setValue} />
      <Consequences
        items={[
          { icon: 'lock', text: 'It is sealed on arrival and never shown again, here or to anybody at the vendor.' },
          { icon: 'moving', text: 'It makes a new target: what runs is updated with it, as your settings allow.' },
        ]}
      />
    </FormDialog>
  )
}

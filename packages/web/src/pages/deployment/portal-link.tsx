import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { Consequences, FormDialog } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'
import { Secret } from '../settings/secret.tsx'

/** Makes a link to the customer's page; shown once. */
export function PortalLinkDialog({ project, name, onClose }: { project: string; name: string; onClose: () => void }) {
  const queries = useQueryClient()
  const [title, setTitle] = useState('portal')
  const [days, setDays] = useState('30')
  const [url, setUrl] = useState<string | null>(null)
  if (url !== null) {
    return (
      <Secret
        title={`The portal link of ${name}`}
        what="link"
        secret={url}
        note={`It is shown once. Whoever has it speaks for the customer: give it to a person at ${name}, by a way that you trust.`}
        onClose={onClose}
      />
    )
  }
  return (
    <FormDialog
      open
      title={`Make a portal link for ${name}`}
      verb="Make the link"
      onClose={onClose}
      onSubmit={async () => {
        const made = await api.createPortalLink({
          params: { project, deployment: name },
          body: { name: title, days: Number(days) },
        })
        setUrl(made.url)
        await queries.invalidateQueries()
        return 'stay'
      }}
    >
      <Consequences
        items={[
          { icon: 'person', text: 'Whoever has it approves, refuses, sets windows, takes access back, or leaves.' },
          {
            icon: 'lock',
            text: 'It opens this one deployment. It can be revoked among the machine tokens in Settings.',
          },
        ]}
      />
      <TextField
        label="Name"
        isRequired
        maxLength={80}
        value={title}
        onChange={setTitle}
        note="Whom it is for: answers and the audit carry it."
      />
      <TextField
        label="Ends after days"
        inputMode="numeric"
        isRequired
        value={days}
        onChange={setDays}
        note="At most 366."
      />
    </FormDialog>
  )
}

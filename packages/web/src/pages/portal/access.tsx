import { useState } from 'react'
import { Button, type Look } from '../../ui/button.tsx'
import { ConfirmDialog } from '../../ui/dialog.tsx'
import type { PartProps } from './home.tsx'
import { reaches, useCustomer } from './use-customer.ts'

/** Takes the vendor's access back, or gives it again: says before what that does. */
export function AccessButton({ visit, page, look = 'danger' }: PartProps & Look) {
  const [open, setOpen] = useState(false)
  const { change } = useCustomer(visit)
  const { vendor, running, deployment } = page
  const granted = page.settings.access === 'granted'
  const version = running?.version ?? 'What runs'
  const close = () => setOpen(false)
  return (
    <>
      <Button look={look} icon="lock" onPress={() => setOpen(true)}>
        {granted ? 'Take the access back…' : 'Give access again…'}
      </Button>
      {granted ? (
        <ConfirmDialog
          open={open}
          danger
          askReason={false}
          title={`Take ${vendor.name}’s access back?`}
          verb="Take the access back"
          onClose={close}
          consequences={[
            { icon: 'stop', text: 'From then on nothing is done in your environment: no update, no command, no look.' },
            { icon: 'play', text: `${version} goes on running as it is, without updates and without going back.` },
            { icon: 'person', text: `${vendor.name} sees that you took it back, as a clean state.` },
            { icon: 'back', text: `It can be undone: give access again here. ${reaches(deployment.model)}` },
          ]}
          onConfirm={() => change({ access: 'revoked' }, 'The access is taken back.')}
        />
      ) : (
        <ConfirmDialog
          open={open}
          askReason={false}
          title={`Give ${vendor.name} access again?`}
          verb="Give access again"
          onClose={close}
          consequences={[
            { icon: 'moving', text: 'Updates and commands go on from where they stood, as your settings allow.' },
            { icon: 'back', text: `It can be undone: take it back at any time. ${reaches(deployment.model)}` },
          ]}
          onConfirm={() => change({ access: 'granted' }, 'Access is given again.')}
        />
      )}
    </>
  )
}

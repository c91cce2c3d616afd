import type { LiveVisit } from '../../api/portal.ts'
import type { Portal, PortalRequest } from '../../api/types.ts'
import { announce } from '../../ui/announce.tsx'
import { Consequences, FormDialog } from '../../ui/dialog.tsx'
import { Difference } from './difference.tsx'
import { useCustomer } from './use-customer.ts'

/** Applies the reviewed setup of a release: what is frozen, and what the software may do. */
export function SetupDialog({
  visit,
  page,
  request,
  onClose,
}: {
  visit: LiveVisit
  page: Portal
  request: PortalRequest
  onClose: () => void
}) {
  const { api, params, readAgain } = useCustomer(visit)
  const version = request.version ?? ''
  return (
    <FormDialog
      open
      wide
      title={`Apply the setup of ${version}?`}
      verb={`Apply the setup of ${version}`}
      onClose={onClose}
      onSubmit={async () => {
        await api.setupDeployment({ params, body: { release: version } })
        announce(`The setup of ${version} is being applied.`)
        await readAgain()
      }}
    >
      <Difference lines={request.difference} since={page.running?.version} />
      <Consequences
        items={[
          { icon: 'plus', text: 'What is new is made in your environment, and the permissions above are given.' },
          { icon: 'lock', text: 'What is frozen stays when a release goes back; it is deleted only when you leave.' },
          { icon: 'moving', text: `Then ${version} may begin, as your settings allow.` },
        ]}
      />
    </FormDialog>
  )
}

import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { failureOf } from '../../api/failure.ts'
import { type LiveVisit, portal } from '../../api/portal.ts'
import type { Portal, PortalRequest } from '../../api/types.ts'
import { announce } from '../../ui/announce.tsx'
import { type Consequence, Consequences, FormDialog } from '../../ui/dialog.tsx'
import { Notice } from '../../ui/feedback.tsx'
import { TextField } from '../../ui/field.tsx'
import { Words } from '../../ui/words.tsx'
import { Difference } from './difference.tsx'
import { useCustomer } from './use-customer.ts'

/**
 * Approves or refuses exactly the target that is shown. Where something else is asked by now, the manager refuses; the dialog
 * then shows that, keeps what was typed, and wants the button to be pressed again.
 */
export function AnswerDialog({
  visit,
  page,
  asked,
  status,
  onClose,
}: {
  visit: LiveVisit
  page: Portal
  asked: PortalRequest
  status: 'pass' | 'fail'
  onClose: () => void
}) {
  const { api, params, readAgain } = useCustomer(visit)
  const queries = useQueryClient()
  const [shown, setShown] = useState<PortalRequest>(asked)
  const [changed, setChanged] = useState<'other' | 'nothing' | null>(null)
  const [message, setMessage] = useState('')
  const of = shown.version ?? shown.gate
  const verb = status === 'pass' ? `Approve ${of}` : `Refuse ${of}`
  const answer = async () => {
    try {
      await api.answerRequest({
        params,
        body: {
          gate: shown.gate,
          target: shown.target ?? '',
          status,
          ...(message.trim() !== '' && { message: message.trim() }),
        },
      })
    } catch (error) {
      if (failureOf(error).code !== 'E_TARGET_CHANGED') throw error
      const now = await queries.fetchQuery({ ...portal(visit), staleTime: 0 })
      const instead = now.requests.find((request) => request.gate === shown.gate && request.target !== null)
      setChanged(instead ? 'other' : 'nothing')
      if (instead) setShown(instead)
      return 'stay' as const
    }
    announce(status === 'pass' ? `${of} is approved.` : `${of} is refused.`)
    await readAgain()
    return undefined
  }
  return (
    <FormDialog
      open
      wide
      title={`${verb}?`}
      verb={verb}
      look={status === 'pass' ? 'primary' : 'danger solid'}
      onClose={onClose}
      isDisabled={changed === 'nothing'}
      onSubmit={answer}
    >
      {changed === 'other' && (
        <div role="alert">
          <Notice tone="attention" icon="warning">
            <strong>Meanwhile something else is asked; nothing was answered yet.</strong>
            <span>
              Below is what {page.vendor.name} asks now: <Words text={shown.message} />
            </span>
          </Notice>
        </div>
      )}
      {changed === 'nothing' && (
        <div role="alert">
          <Notice tone="attention" icon="warning">
            <strong>This is not asked any more; nothing was answered.</strong>
            <span>It was withdrawn, or somebody else has answered it.</span>
          </Notice>
        </div>
      )}
      <Difference lines={shown.difference} since={page.running?.version} />
      <Consequences items={status === 'pass' ? approving(page, shown) : refusing(page, shown)} />
      <TextField
        label="Message"
        value={message}
        onChange={setMessage}
        maxLength={500}
        note={`Optional. ${page.vendor.name} reads it, and it is kept in the audit.`}
      />
    </FormDialog>
  )
}

function approving({ running, windows, settings }: Portal, { version, kind }: PortalRequest): Consequence[] {
  const of = version ?? 'it'
  return [
    {
      icon: 'moving',
      text:
        kind === 'gate'
          ? `The update to ${of} goes on past this point.`
          : settings.windows.length > 0 && !windows.open
            ? `${of} begins when the next maintenance window opens.`
            : `${of} begins at once, step by step, and is measured on the way.`,
    },
    {
      icon: 'back',
      text: running
        ? `Should it turn out worse, it goes back to ${running.version} by itself; that needs no approval.`
        : 'Should it fail, it is taken away again.',
    },
    { icon: 'lock', text: 'This counts for exactly this release with this config: any other is asked anew.' },
  ]
}

function refusing({ running, vendor }: Portal, { version }: PortalRequest): Consequence[] {
  return [
    {
      icon: 'stop',
      text: `${version ?? 'It'} does not start here${running ? `; ${running.version} goes on running` : ''}.`,
    },
    { icon: 'person', text: `${vendor.name} sees that you refused, and your message.` },
    {
      icon: 'forward',
      text: 'What comes next is asked anew. As long as this is the newest, you can still approve it.',
    },
  ]
}

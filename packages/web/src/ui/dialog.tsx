import { type ReactNode, useState } from 'react'
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components'
import { Button } from './button.tsx'
import { Failed } from './feedback.tsx'
import { TextField } from './field.tsx'
import { Icon, type IconName } from './icon.tsx'

/** A modal dialog: focus is kept inside, Escape closes it, and focus returns to where it was. */
export function Dialog({
  title,
  open,
  onClose,
  wide = false,
  children,
}: {
  title: string
  open: boolean
  onClose: () => void
  wide?: boolean
  children: ReactNode
}) {
  return (
    <ModalOverlay className="overlay" isOpen={open} onOpenChange={(next) => !next && onClose()} isDismissable>
      <Modal className={`modal ${wide ? 'wide' : ''}`}>
        <AriaDialog className="dialog">
          <Heading slot="title" level={2}>
            {title}
          </Heading>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}

export interface Consequence {
  icon: IconName
  text: ReactNode
}

/** What an action will do, before it is confirmed. */
export function Consequences({ items }: { items: readonly Consequence[] }) {
  return (
    <ul className="consequences">
      {items.map((item, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the list is built anew with the dialog and never reordered
        <li key={index}>
          <Icon name={item.icon} />
          <span>{item.text}</span>
        </li>
      ))}
    </ul>
  )
}

/** A form in a dialog. What was typed stays when the manager refuses; it closes when it is done, unless that answers `stay`. */
export function FormDialog({
  title,
  open,
  onClose,
  verb,
  look = 'primary',
  children,
  onSubmit,
  wide = false,
  isDisabled = false,
}: {
  title: string
  open: boolean
  onClose: () => void
  verb: string
  look?: 'primary' | 'danger solid'
  children: ReactNode
  onSubmit: () => Promise<unknown>
  wide?: boolean
  isDisabled?: boolean
}) {
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const close = () => {
    setError(null)
    onClose()
  }
  const submit = async () => {
    setBusy(true)
    setError(null)
    try {
      if ((await onSubmit()) !== 'stay') close()
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog title={title} open={open} onClose={close} wide={wide}>
      <form
        className="stack wide"
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        {children}
        {error !== null && <Failed error={error} />}
        <div className="buttons">
          <Button onPress={close}>Cancel</Button>
          <Button type="submit" look={look} isPending={busy} isDisabled={isDisabled}>
            {busy ? 'Working…' : verb}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

/** Asks before something happens: what, to how many, and whether it can be undone. The button repeats the verb. */
export function ConfirmDialog({
  title,
  verb,
  open,
  onClose,
  consequences,
  danger = false,
  askReason = true,
  onConfirm,
}: {
  title: string
  verb: string
  open: boolean
  onClose: () => void
  consequences: readonly Consequence[]
  danger?: boolean
  askReason?: boolean
  onConfirm: (reason: string | undefined) => Promise<unknown>
}) {
  const [reason, setReason] = useState('')
  return (
    <FormDialog
      title={title}
      verb={verb}
      look={danger ? 'danger solid' : 'primary'}
      open={open}
      onClose={onClose}
      onSubmit={async () => {
        await onConfirm(reason.trim() === '' ? undefined : reason.trim())
        setReason('')
      }}
    >
      <Consequences items={consequences} />
      {askReason && (
        <TextField
          label="Reason"
          value={reason}
          onChange={setReason}
          note="Optional. Written to the audit."
          maxLength={500}
        />
      )}
    </FormDialog>
  )
}

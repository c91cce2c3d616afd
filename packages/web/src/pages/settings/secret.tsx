import { Button } from '../../ui/button.tsx'
import { Copy } from '../../ui/copy.tsx'
import { Dialog } from '../../ui/dialog.tsx'

/** Something that is shown once. */
export function Secret({
  title,
  what,
  secret,
  note,
  onClose,
}: {
  title: string
  what: string
  secret: string
  note: string
  onClose: () => void
}) {
  return (
    <Dialog title={title} open onClose={onClose}>
      <p>{note}</p>
      <div className="teach plain" style={{ width: '100%' }}>
        <code className="secret">{secret}</code>
        <Copy text={secret} what={what} />
      </div>
      <div className="buttons">
        <Button look="primary" onPress={onClose}>
          I have kept it
        </Button>
      </div>
    </Dialog>
  )
}

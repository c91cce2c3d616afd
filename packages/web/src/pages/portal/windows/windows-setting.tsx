import { lazy, Suspense, useState } from 'react'
import type { MaintenanceWindow } from '../../../api/types.ts'
import { Button, IconButton } from '../../../ui/button.tsx'
import { ConfirmDialog } from '../../../ui/dialog.tsx'
import { Skeleton } from '../../../ui/feedback.tsx'
import { Icon } from '../../../ui/icon.tsx'
import type { PartProps } from '../home.tsx'
import { Setting } from '../settings.tsx'
import { reaches, useCustomer } from '../use-customer.ts'
import { windowInWords } from './window-form.ts'

// Recurrence is a large library: it comes when it is needed.
const WindowDialog = lazy(() => import('./window-dialog.tsx').then((part) => ({ default: part.WindowDialog })))
const WindowLine = lazy(() => import('./window-line.tsx').then((part) => ({ default: part.WindowLine })))

/** The maintenance windows, each in words, and how to change them. */
export function WindowsSetting({ visit, page, locked }: PartProps & { locked: boolean }) {
  const { windows } = page.settings
  const [editing, setEditing] = useState<number | null>(null)
  const [removing, setRemoving] = useState<number | null>(null)
  const { change } = useCustomer(visit)
  const set = (next: readonly MaintenanceWindow[], done: string) => change({ windows: [...next] }, done)
  const without = (index: number) => windows.filter((_, at) => at !== index)
  const gone = removing === null ? undefined : windows[removing]
  return (
    <Setting
      name="windows"
      title="When updates may begin"
      value={windows.length === 0 ? 'At any time' : undefined}
      note={windows.length === 0 ? 'Without a maintenance window, day and night.' : undefined}
      locked={locked}
      actions={
        <Button look="quiet" icon="plus" onPress={() => setEditing(windows.length)}>
          Add a window…
        </Button>
      }
    >
      {windows.length > 0 && (
        <ul className="stack tight">
          {windows.map((window, index) => (
            <li key={`${window.rrule} ${window.start} ${window.timeZone}`} className="window-line">
              <Icon name="calendar" />
              <Suspense fallback={<Skeleton height={40} />}>
                <WindowLine window={window} />
              </Suspense>
              {!locked && (
                <span className="row tight">
                  <IconButton
                    icon="edit"
                    label={`Change: ${windowInWords(window)}`}
                    onPress={() => setEditing(index)}
                  />
                  <IconButton
                    icon="close"
                    label={`Remove: ${windowInWords(window)}`}
                    onPress={() => setRemoving(index)}
                  />
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
      {editing !== null && (
        <Suspense fallback={<Skeleton height={20} />}>
          <WindowDialog
            page={page}
            window={windows[editing]}
            onClose={() => setEditing(null)}
            onSave={(window) =>
              set(
                [...windows.slice(0, editing), window, ...windows.slice(editing + 1)],
                `Updates may begin: ${windowInWords(window)}.`,
              )
            }
          />
        </Suspense>
      )}
      {gone && removing !== null && (
        <ConfirmDialog
          open
          danger={windows.length === 1}
          askReason={false}
          title="Remove this maintenance window?"
          verb="Remove the window"
          onClose={() => setRemoving(null)}
          consequences={[
            { icon: 'calendar', text: windowInWords(gone) },
            windows.length === 1
              ? { icon: 'warning', text: 'It is the only one: without it, updates may begin at any time.' }
              : { icon: 'clock', text: 'Updates may begin only in the windows that are left.' },
            { icon: 'back', text: `It can be undone: add it again. ${reaches(page.deployment.model)}` },
          ]}
          onConfirm={() => set(without(removing), 'The window is removed.')}
        />
      )}
    </Setting>
  )
}

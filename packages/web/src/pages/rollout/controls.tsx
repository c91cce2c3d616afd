import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import type { RolloutDetail } from '../../api/types.ts'
import { announce } from '../../ui/announce.tsx'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog } from '../../ui/dialog.tsx'
import { type Choice, choicesOf } from './choices.ts'

/** The buttons of a rollout. Each says what will happen before it does. */
export function RolloutControls({ project, rollout }: { project: string; rollout: RolloutDetail }) {
  const queries = useQueryClient()
  const [open, setOpen] = useState<Choice | null>(null)
  const act = async (choice: Choice, reason: string | undefined) => {
    await api.controlRollout({
      params: { project, rollout: rollout.id },
      body: { kind: choice.kind, ...(reason !== undefined && { reason }) },
    })
    announce(`${choice.name}: asked. The page follows.`)
    await queries.invalidateQueries()
  }
  return (
    <>
      {choicesOf(rollout).map((choice) => (
        <Button key={choice.kind} look={choice.look} icon={choice.icon} onPress={() => setOpen(choice)}>
          {choice.name}
        </Button>
      ))}
      {open && (
        <ConfirmDialog
          open
          title={open.title}
          verb={open.verb}
          danger={open.danger}
          consequences={open.consequences}
          onClose={() => setOpen(null)}
          onConfirm={(reason) => act(open, reason)}
        />
      )}
    </>
  )
}

import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import type { CommandDefinition } from '../../api/types.ts'
import { announce } from '../../ui/announce.tsx'
import { FormDialog } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'
import { type Field, fieldsOf, readFields } from './schema-fields.ts'
import { SchemaForm } from './schema-form.tsx'

/** Where a schema has no named properties, its input is written as JSON. */
const whole: Field = {
  name: 'input',
  kind: 'json',
  required: false,
  description: 'As JSON',
  format: undefined,
  choices: [],
  minimum: undefined,
  maximum: undefined,
  initial: '{}',
}

/** The form of a command, made from its schema. The manager checks the input once more before it sends. */
export function SendCommand({
  project,
  deployment,
  definition,
  onClose,
  onSent,
}: {
  project: string
  deployment: string
  definition: CommandDefinition
  onClose: () => void
  onSent: (id: string) => void
}) {
  const queries = useQueryClient()
  const [typed, setTyped] = useState<Record<string, string>>({})
  const [deadline, setDeadline] = useState('')
  const [wrong, setWrong] = useState<Record<string, string>>({})
  const named = fieldsOf(definition.input)
  const fields = named ?? [whole]
  const send = async () => {
    const read = readFields(fields, typed)
    setWrong(read.ok ? {} : read.wrong)
    if (!read.ok)
      throw Object.assign(new Error('The input is not whole.'), {
        code: 'E_INPUT',
        hint: 'Mend the fields above; nothing was sent.',
      })
    const input = named ? read.value : Reflect.get(read.value as object, whole.name)
    const seconds = Number(deadline)
    const sent = await api.sendCommand({
      params: { project, deployment },
      body: {
        worker: definition.worker,
        command: definition.name,
        input: input ?? {},
        ...(deadline !== '' && Number.isInteger(seconds) && { deadlineSeconds: seconds }),
      },
    })
    announce(`${definition.name} was sent.`)
    await queries.invalidateQueries()
    onSent(sent.id)
  }
  return (
    <FormDialog
      open
      title={`Send ${definition.name} to ${deployment}`}
      verb={`Send ${definition.name}`}
      onClose={onClose}
      onSubmit={send}
    >
      {definition.description && <p className="muted">{definition.description}</p>}
      <SchemaForm
        fields={fields}
        typed={typed}
        wrong={wrong}
        onChange={(name, text) => setTyped((old) => ({ ...old, [name]: text }))}
      />
      <TextField
        label="Deadline in seconds (optional)"
        note="The command’s own deadline where nothing is written."
        inputMode="numeric"
        value={deadline}
        onChange={setDeadline}
      />
    </FormDialog>
  )
}

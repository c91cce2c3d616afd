import { Checkbox, TextField } from '../../ui/field.tsx'
import { Select } from '../../ui/select.tsx'
import type { Field } from './schema-fields.ts'

const inputTypes: Record<string, string> = { date: 'date', email: 'email', uri: 'url' }

/** A form for an object schema: a field a property. */
export function SchemaForm({
  fields,
  typed,
  wrong,
  onChange,
}: {
  fields: readonly Field[]
  typed: Readonly<Record<string, string>>
  wrong: Readonly<Record<string, string>>
  onChange: (name: string, text: string) => void
}) {
  return (
    <>
      {fields.map((field) => {
        const value = typed[field.name] ?? field.initial
        const set = (text: string) => onChange(field.name, text)
        const label = field.required ? field.name : `${field.name} (optional)`
        if (field.kind === 'boolean') {
          return (
            <Checkbox
              key={field.name}
              label={field.description ? `${field.name}: ${field.description}` : field.name}
              selected={value === 'true'}
              onChange={(selected) => set(String(selected))}
            />
          )
        }
        if (field.kind === 'choice') {
          const options = field.choices.map((choice) => ({ value: choice, label: choice }))
          return (
            <Select
              key={field.name}
              label={label}
              value={value}
              onChange={set}
              options={field.required && value !== '' ? options : [{ value: '', label: 'Not set' }, ...options]}
            />
          )
        }
        return (
          <TextField
            key={field.name}
            label={label}
            value={value}
            onChange={set}
            note={field.description || undefined}
            wrong={wrong[field.name]}
            isRequired={field.required}
            type={inputTypes[field.format ?? ''] ?? 'text'}
            {...(field.kind === 'number' || field.kind === 'integer' ? { inputMode: 'decimal' as const } : {})}
            {...(field.kind === 'json' ? { lines: 4, mono: true } : {})}
          />
        )
      })}
    </>
  )
}

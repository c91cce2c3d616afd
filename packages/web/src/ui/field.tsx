import {
  Checkbox as AriaCheckbox,
  TextField as AriaTextField,
  Input,
  Label,
  Text,
  TextArea,
  type TextFieldProps,
} from 'react-aria-components'
import { Icon } from './icon.tsx'

/** A line of text, or several, with its label, a note, and what is wrong with it. */
export function TextField({
  label,
  note,
  wrong,
  lines = 1,
  mono = false,
  placeholder = '',
  ...rest
}: Omit<TextFieldProps, 'children' | 'className'> & {
  label: string
  note?: string | undefined
  wrong?: string | undefined
  lines?: number
  mono?: boolean
  placeholder?: string
}) {
  const look = mono ? 'mono' : ''
  return (
    <AriaTextField {...rest} isInvalid={wrong !== undefined} className="field">
      <Label>{label}</Label>
      {lines > 1 ? (
        <TextArea rows={lines} className={look} placeholder={placeholder} />
      ) : (
        <Input className={look} placeholder={placeholder} />
      )}
      {wrong !== undefined && (
        <Text slot="errorMessage" className="wrong">
          {wrong}
        </Text>
      )}
      {note && (
        <Text slot="description" className="note">
          {note}
        </Text>
      )}
    </AriaTextField>
  )
}

export function Checkbox({
  label,
  selected,
  onChange,
}: {
  label: string
  selected: boolean
  onChange: (selected: boolean) => void
}) {
  return (
    <AriaCheckbox className="check" isSelected={selected} onChange={onChange}>
      <span className="box">
        <Icon name="check" size={14} />
      </span>
      {label}
    </AriaCheckbox>
  )
}

/** A search field that waits for nothing: what is typed is the filter. */
export function SearchField({
  label,
  value,
  onChange,
}: {
  label: string
  value: string
  onChange: (value: string) => void
}) {
  return (
    <div className="search">
      <Icon name="search" />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={value}
        maxLength={100}
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  )
}

import { Select as AriaSelect, Button, Label, ListBox, ListBoxItem, Popover, SelectValue } from 'react-aria-components'
import { Icon } from './icon.tsx'

export interface Option {
  value: string
  label: string
}

/** A choice of one. As a filter the label stands inside the button; in a form above it. */
export function Select({
  label,
  value,
  onChange,
  options,
  filter = false,
}: {
  label: string
  value: string
  onChange: (value: string) => void
  options: readonly Option[]
  filter?: boolean
}) {
  return (
    <AriaSelect
      className={filter ? '' : 'field'}
      selectedKey={value}
      onSelectionChange={(key) => onChange(String(key))}
      {...(filter && { 'aria-label': label })}
    >
      {!filter && <Label>{label}</Label>}
      <Button className={`button ${filter ? '' : 'full between'}`}>
        {filter && value === '' ? (
          <span className="muted">{label}</span>
        ) : (
          <SelectValue>{({ selectedText }) => selectedText}</SelectValue>
        )}
        <Icon name="down" size={14} />
      </Button>
      <Popover className="popover" offset={4}>
        <ListBox>
          {options.map((option) => (
            <ListBoxItem key={option.value} id={option.value} textValue={option.label} className="item">
              {({ isSelected }) => (
                <>
                  {option.label}
                  {isSelected && (
                    <span className="tail">
                      <Icon name="check" size={14} />
                    </span>
                  )}
                </>
              )}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </AriaSelect>
  )
}

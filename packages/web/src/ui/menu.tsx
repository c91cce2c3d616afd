import type { ReactNode } from 'react'
import { Menu as AriaMenu, MenuItem, MenuTrigger, Popover } from 'react-aria-components'
import { Icon, type IconName } from './icon.tsx'

export interface MenuChoice {
  id: string
  label: string
  icon?: IconName
  danger?: boolean
  checked?: boolean
  onAction: () => void
}

/** A button (`trigger`) that opens a list of choices. */
export function Menu({
  trigger,
  label,
  choices,
}: {
  trigger: ReactNode
  label: string
  choices: readonly MenuChoice[]
}) {
  return (
    <MenuTrigger>
      {trigger}
      <Popover className="popover" offset={4}>
        <AriaMenu aria-label={label}>
          {choices.map((choice) => (
            <MenuItem
              key={choice.id}
              id={choice.id}
              textValue={choice.label}
              onAction={choice.onAction}
              className={`item ${choice.danger ? 'danger' : ''}`}
            >
              {choice.icon && <Icon name={choice.icon} />}
              {choice.label}
              {choice.checked && (
                <span className="tail">
                  <Icon name="check" size={14} />
                </span>
              )}
            </MenuItem>
          ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  )
}

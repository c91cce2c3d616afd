import type { ReactNode } from 'react'
import { Button as AriaButton, type ButtonProps } from 'react-aria-components'
import { Icon, type IconName } from './icon.tsx'

export interface Look {
  look?: 'plain' | 'primary' | 'danger' | 'danger solid' | 'quiet'
  icon?: IconName
}

/** A button with a word, and an icon before it where one helps. */
export function Button({
  look = 'plain',
  icon,
  children,
  className = '',
  ...rest
}: Omit<ButtonProps, 'children' | 'className'> & Look & { children?: ReactNode; className?: string }) {
  return (
    <AriaButton {...rest} className={`button ${look} ${className}`}>
      {icon && <Icon name={icon} />}
      {children}
    </AriaButton>
  )
}

/** A button that shows only its icon; `label` is what it is called. */
export function IconButton({
  icon,
  label,
  ...rest
}: Omit<ButtonProps, 'children' | 'className' | 'aria-label'> & { icon: IconName; label: string }) {
  return (
    <AriaButton {...rest} aria-label={label} className="button quiet icon">
      <Icon name={icon} />
    </AriaButton>
  )
}

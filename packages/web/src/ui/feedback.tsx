import type { ReactNode } from 'react'
import { failureOf } from '../api/failure.ts'
import { Button } from './button.tsx'
import { Code, Copy } from './copy.tsx'
import { Icon, type IconName } from './icon.tsx'
import { Words } from './words.tsx'

/** Something to know, above what it is about. */
export function Notice({
  tone = 'normal',
  icon,
  children,
  actions,
  className = '',
}: {
  tone?: 'normal' | 'attention' | 'danger'
  icon: IconName
  children: ReactNode
  actions?: ReactNode
  className?: string
}) {
  return (
    <div className={`notice ${tone} ${className}`}>
      <Icon name={icon} size={18} />
      <div className="stack tight">{children}</div>
      {actions && <div className="notice-actions">{actions}</div>}
    </div>
  )
}

/** An error: what happened, what to do, the code; and a way to try again where that may help. */
export function Failed({ error, again }: { error: unknown; again?: (() => void) | undefined }) {
  const failure = failureOf(error)
  return (
    <div role="alert">
      <Notice tone="danger" icon="failed" actions={again && <Button onPress={again}>Try again</Button>}>
        <strong>
          <Words text={failure.message} />
        </strong>
        {failure.hint && (
          <span>
            <Words text={failure.hint} />
          </span>
        )}
        {failure.problems.map((problem) => (
          <span key={problem.path}>
            <code>{problem.path}</code>: {problem.message}
          </span>
        ))}
        <Code code={failure.code} />
      </Notice>
    </div>
  )
}

/** Nothing here yet: says why, and teaches the command that changes it. */
export function Empty({
  icon,
  title,
  children,
  teach = [],
  actions,
}: {
  icon: IconName
  title: string
  children?: ReactNode
  teach?: readonly string[]
  actions?: ReactNode
}) {
  return (
    <div className="empty">
      <Icon name={icon} size={28} />
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {teach.map((command) => (
        <div key={command} className="teach">
          <code>{command}</code>
          <Copy text={command} what="command" />
        </div>
      ))}
      {actions}
    </div>
  )
}

export function Skeleton({ width = '100%', height = 16 }: { width?: string | number; height?: number }) {
  return <span className="skeleton" style={{ width, height }} />
}

/** The shape of a page while it loads: its sentence, and blocks where its parts will be. */
export function PageSkeleton({ title, blocks = [120, 320] }: { title?: string; blocks?: readonly number[] }) {
  return (
    <div className="page" aria-busy="true">
      <div className="page-head">
        <div className="page-title">
          <h1>{title ?? 'Loading'}</h1>
        </div>
        <div className="sentence stack tight">
          <Skeleton width="min(560px, 92%)" height={22} />
          <Skeleton width="min(320px, 60%)" height={22} />
        </div>
      </div>
      {blocks.map((height, index) => (
        // The blocks are the same each time and never move.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above
        <Skeleton key={index} height={height} />
      ))}
    </div>
  )
}

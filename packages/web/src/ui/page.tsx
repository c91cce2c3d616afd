import { type ReactNode, useEffect } from 'react'

/** Every page: a name, the answer as one sentence, what can be done, and the detail below. */
export function Page({
  title,
  browserTitle,
  above,
  beside,
  sentence,
  actions,
  entity = false,
  children,
}: {
  title: string
  browserTitle?: string
  /** What the page belongs to: a link before the name. */
  above?: ReactNode
  /** Small facts behind the name. */
  beside?: ReactNode
  sentence: ReactNode
  actions?: ReactNode
  entity?: boolean
  children: ReactNode
}) {
  useEffect(() => {
    document.title = `${browserTitle ?? title} · Landfall`
  }, [browserTitle, title])
  return (
    <div className="page">
      <div className="page-head">
        <div className={`page-title ${entity ? 'entity' : ''}`}>
          {above && <span className="crumb">{above}</span>}
          <h1>{title}</h1>
          {beside}
        </div>
        {actions && <div className="actions">{actions}</div>}
        <p className="sentence">{sentence}</p>
      </div>
      {children}
    </div>
  )
}

export function Card({
  title,
  hint,
  children,
  flush = false,
}: {
  title?: string
  hint?: ReactNode
  children: ReactNode
  flush?: boolean
}) {
  return (
    <section className="card">
      {title && (
        <div className="card-head">
          <h2>{title}</h2>
          {hint && <span className="hint">{hint}</span>}
        </div>
      )}
      {flush ? children : <div className="card-body">{children}</div>}
    </section>
  )
}

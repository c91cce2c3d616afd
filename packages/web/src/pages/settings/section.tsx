import type { ReactNode } from 'react'

/** A part of the settings, with its own address on the page. */
export function Section({
  id,
  title,
  hint,
  action,
  children,
}: {
  id: string
  title: string
  hint: string
  action?: ReactNode
  children: ReactNode
}) {
  return (
    <section id={id} className="settings-section" aria-labelledby={`${id}-title`}>
      <div className="section-head">
        <div className="stack tight">
          <h2 id={`${id}-title`}>{title}</h2>
          <span className="muted">{hint}</span>
        </div>
        {action}
      </div>
      <div className="card">{children}</div>
    </section>
  )
}

import type { ReactNode } from 'react'
import { Mark } from '../../ui/icon.tsx'

/** The page before one is in: a card in the middle. */
export function Door({ sentence, children }: { sentence: string; children: ReactNode }) {
  return (
    <main className="door">
      <div className="door-card">
        <span className="brand">
          <Mark />
          <span>Landfall</span>
        </span>
        <h1 className="sentence">{sentence}</h1>
        {children}
      </div>
    </main>
  )
}

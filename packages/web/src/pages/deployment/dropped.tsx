import { sentenceCase } from '../../format/words.ts'
import { Notice } from '../../ui/feedback.tsx'
import { Time } from '../../ui/time.tsx'

interface Drop {
  reason: string
  records: number
  lastAt: string
}

/** What did not fit into the store and is not shown: said, so that nobody takes a part for the whole. */
export function Dropped({ drops, what }: { drops: readonly Drop[]; what: string }) {
  if (drops.length === 0) return null
  return (
    <Notice tone="attention" icon="warning">
      <strong>Not all {what} were kept.</strong>
      {drops.map((drop) => (
        <span key={drop.reason}>
          {drop.records.toLocaleString('en')} dropped, last <Time at={drop.lastAt} />:{' '}
          {sentenceCase(drop.reason).toLowerCase()}
        </span>
      ))}
    </Notice>
  )
}

/** "3 new": lets in the rows that would have moved the list. */
export function Fresh({ count, letIn }: { count: number; letIn: () => void }) {
  if (count === 0) return null
  return (
    <div className="fresh">
      <button type="button" className="pill" onClick={letIn}>
        {count} new: show
      </button>
    </div>
  )
}

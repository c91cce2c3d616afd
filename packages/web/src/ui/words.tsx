/** A text of the manager's: what stands between backticks is a command or a name, and looks like one. */
export function Words({ text }: { text: string }) {
  return text.split('`').map((part, index) =>
    // Every second part stood between backticks; the parts never move.
    // biome-ignore lint/suspicious/noArrayIndexKey: see above
    index % 2 === 1 ? <code key={index}>{part}</code> : part,
  )
}

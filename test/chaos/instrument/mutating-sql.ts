const begins = /^\s*(begin|start\s+transaction)\b/i
const commits = /^\s*(commit|end)\b/i
const undoes = /^\s*rollback(?!\s+to)\b/i
const writes =
  /\b(?:insert\s+(?:or\s+\w+\s+)?into|replace\s+into|delete\s+from|update(?:\s+or\s+\w+)?|create\s+(?:unique\s+)?(?:table|index)(?:\s+if\s+not\s+exists)?|alter\s+table|drop\s+table(?:\s+if\s+exists)?|truncate)\s+(?!of\b|skip\b|nowait\b)["`]?([\w.]+)/gi

/** What a statement does to a database: `begin`, `commit`, `rollback`, and `VERB table` for each table it changes. */
export function readStatement(text: string): { control: 'begin' | 'commit' | 'rollback' | null; changes: string[] } {
  const control = begins.test(text)
    ? 'begin'
    : commits.test(text) || /;\s*commit\b/i.test(text)
      ? 'commit'
      : undoes.test(text)
        ? 'rollback'
        : null
  const changes = [...text.matchAll(writes)].map(
    ([whole, table]) => `${whole.trim().split(/\s+/)[0]?.toLowerCase()} ${table}`,
  )
  return { control, changes: [...new Set(changes)] }
}

/** What a connection has changed since its transaction began; null outside of one. */
export class Pending {
  #changes: Set<string> | null = null

  /** Takes a statement in; answers the name of the durable mutation that it is, or null. */
  see(text: string): string | null {
    const { control, changes } = readStatement(text)
    if (control === 'begin') {
      this.#changes = new Set(changes)
      return null
    }
    if (control === 'rollback') {
      this.#changes = null
      return null
    }
    if (control === 'commit') {
      const all = [...(this.#changes ?? []), ...changes]
      this.#changes = null
      return all.length === 0 ? null : `commit [${[...new Set(all)].join(', ')}]`
    }
    if (changes.length === 0) return null
    if (this.#changes) {
      for (const change of changes) this.#changes.add(change)
      return null
    }
    return changes.join(', ')
  }
}

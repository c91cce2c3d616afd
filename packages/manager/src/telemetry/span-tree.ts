/**
 * Spans depth first: each is followed by its children in the order they came in. Whoever has no parent among them is a root; spans
 * that are one another's ancestors (nobody sound sends them) become roots too, so that each is given exactly once.
 */
export function inTreeOrder<T extends { span: string; parent: string | null }>(
  spans: readonly T[],
): { item: T; depth: number }[] {
  const ids = new Set(spans.map((each) => each.span))
  const children = Map.groupBy(spans, (each) => each.parent ?? '')
  const result: { item: T; depth: number }[] = []
  const given = new Set<T>()
  const give = (root: T) => {
    // Without recursion: a trace may be as deep as it has spans.
    const stack = [{ item: root, depth: 0 }]
    for (let next = stack.pop(); next; next = stack.pop()) {
      if (given.has(next.item)) continue
      given.add(next.item)
      result.push(next)
      const { depth } = next
      const below = children.get(next.item.span) ?? []
      for (const item of below.toReversed()) stack.push({ item, depth: depth + 1 })
    }
  }
  for (const each of spans) if (each.parent === null || !ids.has(each.parent)) give(each)
  for (const each of spans) if (!given.has(each)) give(each)
  return result
}

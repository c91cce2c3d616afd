import fc from 'fast-check'
import { expect, it } from 'vitest'
import { inTreeOrder } from './span-tree.ts'

const span = (id: string, parent: string | null) => ({ span: id, parent })
const shown = (spans: ReturnType<typeof span>[]) =>
  inTreeOrder(spans).map(({ item, depth }) => `${' '.repeat(depth)}${item.span}`)

it('gives a span, then what it called; one without a known parent is a root', () => {
  const spans = [span('a', null), span('b', 'a'), span('c', 'a'), span('d', 'b'), span('e', 'gone')]
  expect(shown(spans)).toEqual(['a', ' b', '  d', ' c', 'e'])
})

it('gives each span once, whatever their parents are, below its parent unless they go in a circle', () => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f']
  const parents = fc.array(fc.option(fc.constantFrom(...ids, 'gone')), { minLength: 6, maxLength: 6 })
  fc.assert(
    fc.property(parents, (chosen) => {
      const spans = ids.map((id, index) => span(id, chosen[index] ?? null))
      const ordered = inTreeOrder(spans)
      expect(ordered.map(({ item }) => item.span).sort()).toEqual(ids)
      for (const { item, depth } of ordered) {
        if (depth === 0) continue
        expect(ordered.find((other) => other.item.span === item.parent)?.depth).toBe(depth - 1)
      }
    }),
  )
})

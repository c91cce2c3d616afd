import { describe, expect, it } from 'vitest'
import { shareBar } from './share-bar.ts'
import { createStyle, width } from './style.ts'
import { table } from './table.ts'
import { relative } from './time.ts'

const rows = [
  { name: 'acme', count: 7, text: 'Baking at 20%: 12 s of 60 s, 412 of 500 requests seen' },
  { name: 'globex-europe', count: 1200, text: 'Rests on 1.4.0' },
]
const columns = [
  { title: 'name', value: (row: (typeof rows)[number]) => row.name },
  { title: 'count', value: (row: (typeof rows)[number]) => String(row.count), align: 'right' as const },
  { title: 'state', value: (row: (typeof rows)[number]) => row.text, shrink: 1 },
]

describe('table', () => {
  it('aligns columns', () => {
    expect(table(rows, columns, 200).split('\n')).toEqual([
      'NAME           COUNT  STATE',
      'acme               7  Baking at 20%: 12 s of 60 s, 412 of 500 requests seen',
      'globex-europe   1200  Rests on 1.4.0',
    ])
  })

  it('fits the width by shortening what may be shortened', () => {
    const lines = table(rows, columns, 50).split('\n')
    expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(50)
    expect(lines[1]).toMatch(/…$/)
    expect(lines[2]).toContain('globex-europe')
  })

  it('does not count colour codes as width', () => {
    const style = createStyle({ isTTY: true }, {})
    const coloured = table(
      [{ a: style('red', 'bad'), b: 'x' }],
      [
        { title: 'a', value: (row) => row.a },
        { title: 'b', value: (row) => row.b },
      ],
      80,
    )
    expect(width(coloured.split('\n')[1] ?? '')).toBe('bad  x'.length)
  })
})

describe('style', () => {
  it('is plain without a TTY and with NO_COLOR', () => {
    expect(createStyle({}, {})('red', 'x')).toBe('x')
    expect(createStyle({ isTTY: true }, { NO_COLOR: '1' })('red', 'x')).toBe('x')
    expect(createStyle({ isTTY: true }, {})('red', 'x')).not.toBe('x')
  })
})

describe('relative', () => {
  it('speaks in one unit', () => {
    expect(relative(0, 500)).toBe('now')
    expect(relative(0, 12 * 60_000 + 5_000)).toBe('12 minutes ago')
    expect(relative(3_600_000, 0)).toBe('in 1 hour')
    expect(relative(null)).toBe('never')
  })
})

describe('shareBar', () => {
  const plain = createStyle({}, {})
  it('shows what is served, and a tick where the asked share is not reached', () => {
    expect(shareBar(50, 50, 10, plain)).toBe('█████░░░░░')
    expect(shareBar(0, 20, 10, plain)).toBe('░░|░░░░░░░')
  })
})

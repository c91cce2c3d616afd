/** Maps a value from `[from, to]` to pixels `[start, end]`. */
export function scale(from: number, to: number, start: number, end: number) {
  const span = to - from || 1
  return (value: number) => start + ((value - from) / span) * (end - start)
}

/** About `count` round numbers that cover `[from, to]`: multiples of 1, 2 or 5 times a power of ten. */
export function ticks(from: number, to: number, count: number): number[] {
  const span = to - from
  if (!(span > 0)) return [from]
  const rough = span / Math.max(1, count)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power
  const found: number[] = []
  for (let index = Math.ceil(from / step); index * step <= to + step * 1e-6; index++) {
    found.push(Number((index * step).toPrecision(12)))
  }
  return found
}

const seconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 604_800]

/** Round instants in `[from, to]` (milliseconds), about `count`, and whether their seconds matter. */
export function timeTicks(from: number, to: number, count: number): { at: number[]; seconds: boolean } {
  const rough = (to - from) / 1000 / Math.max(1, count)
  const step = (seconds.find((each) => each >= rough) ?? 604_800) * 1000
  const at: number[] = []
  for (let instant = Math.ceil(from / step) * step; instant <= to; instant += step) at.push(instant)
  return { at, seconds: step < 60_000 }
}

/** An SVG path through the points; a null value interrupts it. */
export function linePath(points: readonly (readonly [number, number | null])[]): string {
  let path = ''
  let pen = false
  for (const [x, y] of points) {
    if (y === null) {
      pen = false
      continue
    }
    path += `${pen ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`
    pen = true
  }
  return path
}

/** Where a label of the time axis is held, so that it does not stick out of the drawing. */
export function anchorAt(x: number, left: number, width: number): 'start' | 'middle' | 'end' {
  if (x < left + 24) return 'start'
  return x > width - 36 ? 'end' : 'middle'
}

import type { Style } from './style.ts'

/** A share as a bar: stable, candidate, and `|` where the asked share is when it is not served yet. */
export function shareBar(served: number, asked: number, cells: number, style: Style): string {
  const filled = Math.round((served / 100) * cells)
  const tick = Math.min(cells - 1, Math.round((asked / 100) * cells))
  let bar = ''
  for (let index = 0; index < cells; index++) {
    if (index === tick && Math.abs(asked - served) >= 1) bar += style('bold', '|')
    else bar += index < filled ? style('cyan', '█') : style('gray', '░')
  }
  return bar
}

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = join(import.meta.dirname, '..', '..', '..', 'packages')
const most = 3

/**
 * The nearest frames of the product's own code, innermost first: `packages/a/src/b.ts:12 < …`. What a library calls in between is left
 * out, and so are the instrument and line columns.
 */
export function callers(): string {
  const before = Error.stackTraceLimit
  Error.stackTraceLimit = 60
  const stack = new Error().stack ?? ''
  Error.stackTraceLimit = before
  const frames: string[] = []
  for (const line of stack.split('\n')) {
    const [, place = '', number = ''] = /\(?((?:file:\/\/|\/)[^()]+?):(\d+):\d+\)?$/.exec(line.trim()) ?? []
    if (place === '') continue
    const path = place.startsWith('file:') ? fileURLToPath(place) : place
    if (!path.startsWith(packages) || path.includes('node_modules')) continue
    frames.push(`${path.slice(packages.length + 1).replace('/src/', '/')}:${number}`)
    if (frames.length === most) break
  }
  return frames.join(' < ') || 'nobody'
}

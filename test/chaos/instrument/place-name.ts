import { relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What `mkdtemp` puts at the end of a name, with a digit in it or without. */
const random = /(?<=[.-])[A-Za-z0-9]{6}(?=$|\/)/g
/** UUIDs, digests (a short one may be of letters alone), ids and numbers. */
const changing =
  /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{8}\b|(?:sha256[:-])?(?:[a-z]+_)?(?=[\w-]*\d)[0-9a-z]{6,}(?:-[0-9a-zA-Z-]+)?|\b\d+\b/g

/** A path below `root` with what changes from run to run as `*`; null for one elsewhere. */
export function placeName(path: unknown, root: string): string | null {
  const text = path instanceof URL ? fileURLToPath(path) : typeof path === 'string' ? path : null
  if (text === null) return null
  const below = relative(root, text)
  if (below.startsWith('..') || below === '') return null
  return stable(below.split(sep).join('/'))
}

export const stable = (text: string): string => text.replace(random, '*').replace(changing, '*')

import type { z } from 'zod'
import type { Problem } from './landfall-error.ts'

const identifier = /^[A-Za-z_$][\w$-]*$/

/**
 * The path of a problem as people read it. An element of a list that has a name is shown by it (`resources.api`), others
 * by index (`steps[1]`).
 */
export function pathText(path: readonly PropertyKey[], root?: unknown): string {
  let text = ''
  let at: unknown = root
  for (const part of path) {
    const next: unknown = at !== null && typeof at === 'object' ? Reflect.get(at, part) : undefined
    const name: unknown = next !== null && typeof next === 'object' ? Reflect.get(next, 'name') : undefined
    if (typeof part === 'number') text += typeof name === 'string' && identifier.test(name) ? `.${name}` : `[${part}]`
    else if (identifier.test(String(part))) text += `.${String(part)}`
    else text += `[${JSON.stringify(String(part))}]`
    at = next
  }
  return text.replace(/^\./, '')
}

/**
 * The problems that zod found, each with a path and what to do. `root` is the value that was checked: with it, resources
 * are named instead of numbered. Values never appear, because they may be secrets.
 */
export function problemsOf(error: z.ZodError, root?: unknown): Problem[] {
  return error.issues.flatMap((issue) => problemsOfIssue(issue, [], root))
}

type Issue = z.core.$ZodIssue

function problemsOfIssue(issue: Issue, above: readonly PropertyKey[], root: unknown): Problem[] {
  const path = [...above, ...issue.path]
  const at = (more: PropertyKey[] = []) => pathText([...path, ...more], root)
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: at([key]),
        message: 'is not known here: remove it, or check its spelling',
      }))
    case 'invalid_type':
      return [
        {
          path: at(),
          message: `must be ${article(issue.expected)}: ${missing(path, root) ? 'it is missing' : 'it is of another type'}`,
        },
      ]
    case 'invalid_value':
      return [{ path: at(), message: `must be ${oneOf(issue.values)}` }]
    case 'invalid_union': {
      if ('discriminator' in issue && typeof issue.discriminator === 'string') {
        return [{ path: at(), message: `names no known kind: check it against the manifest's schema` }]
      }
      // The branch that came closest says most; all the others only say that they are others.
      const closest = [...issue.errors].sort((a, b) => a.length - b.length || depth(b) - depth(a))[0]
      if (closest && depth(closest) > 0) return closest.flatMap((inner) => problemsOfIssue(inner, path, root))
      return [{ path: at(), message: 'has none of the forms that are allowed here' }]
    }
    case 'invalid_key':
      return issue.issues.map((inner) => ({ path: at(), message: inner.message }))
    default:
      return [{ path: at(), message: issue.message }]
  }
}

const depth = (issues: readonly Issue[]) => Math.max(0, ...issues.map((issue) => issue.path.length))

function missing(path: readonly PropertyKey[], root: unknown): boolean {
  let at: unknown = root
  for (const part of path) at = at !== null && typeof at === 'object' ? Reflect.get(at, part) : undefined
  return at === undefined
}

const oneOf = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).join(' or ')

const article = (type: string) => (/^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`)

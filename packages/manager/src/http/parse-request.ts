import type { Route } from '@landfall/contract'
import { LandfallError, type Problem, problemsOf } from '@landfall/stack'
import type { z } from 'zod'

/** Parses one part strictly. Throws `E_INVALID_REQUEST` with every problem found; values are never repeated. */
function part(schema: z.ZodType, value: unknown, where: string): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw invalid(problemsOf(parsed.error, value).map(({ path, message }) => ({ path: path || where, message })))
}

export function invalid(problems: readonly Problem[]): LandfallError {
  const first = problems[0]
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return new LandfallError({
    code: 'E_INVALID_REQUEST',
    message: first ? `The request is not valid: ${first.path} ${first.message}${more}` : 'The request is not valid.',
    hint: 'Compare it with the API description at /api/openapi.json.',
    problems,
  })
}

export function parseParams(route: Route, params: Readonly<Record<string, string>>): unknown {
  return part(route.params, params, 'path')
}

export function parseQuery(route: Route, search: URLSearchParams): unknown {
  const names = [...search.keys()]
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw invalid([{ path: twice, message: 'is given more than once' }])
  return part(route.query, Object.fromEntries(search), 'query')
}

/** JSON with its media type. An empty body counts as `{}`, so that a call without fields needs none. */
export function parseBody(route: Route, mediaType: string | null, bytes: Uint8Array): unknown {
  if (route.body === null || route.body === 'bytes') return undefined
  if (bytes.byteLength === 0) return part(route.body, {}, 'body')
  if (!/^application\/json\s*(;|$)/i.test(mediaType ?? '')) {
    throw new LandfallError({
      code: 'E_MEDIA_TYPE',
      message: 'The body is not announced as JSON.',
      hint: 'Send `Content-Type: application/json`.',
    })
  }
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw invalid([{ path: 'body', message: 'is not JSON in UTF-8' }])
  }
  return part(route.body, value, 'body')
}

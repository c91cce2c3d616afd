import { z } from 'zod'
import type { Access, Route } from '../route.ts'
import { routes } from '../routes/all.ts'
import { problem } from '../schemas/common.ts'

type Json = Record<string, unknown>

/** OpenAPI 3.1 of the whole API, made from the route table; schemas are JSON Schema 2020-12 as zod writes it. */
export function openApiDocument(): Json {
  const paths: Record<string, Json> = {}
  for (const route of Object.values(routes) as Route[]) {
    const path = paths[route.path] ?? {}
    path[route.method.toLowerCase()] = operation(route)
    paths[route.path] = path
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Landfall manager',
      version: '0.1.0',
      summary: 'Carries a vendor’s software into environments the vendor does not own',
      description:
        'Refusals are RFC 9457 problem documents with a stable `code` and a `hint`. Unknown fields are refused. ' +
        'Mutating calls take an `Idempotency-Key`: the same key with the same call gets the first answer.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(Object.values(routes).map((route) => route.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Problem: schemaOf(problem, 'output') },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'lf_user_…, lf_ci_…, lf_deployer_… or lf_agent_…' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'landfall',
          description: 'Set by signing in; `__Host-landfall` over https',
        },
      },
      responses: {
        Problem: {
          description: 'Refused; the code says why, the hint what to do',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  }
}

function operation(route: Route): Json {
  const mutating = route.method !== 'GET'
  return {
    operationId: route.operation,
    tags: [route.tag],
    summary: route.summary,
    description: whoMay(route.access),
    security: route.access.public ? [] : securityOf(route.access),
    parameters: [
      ...parametersOf(route.params, 'path'),
      ...parametersOf(route.query, 'query'),
      ...(mutating && !route.repeatable && !route.access.public && route.body !== 'bytes'
        ? [{ name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string', maxLength: 200 } }]
        : []),
    ],
    ...(route.body === null ? {} : { requestBody: { required: true, content: requestContent(route.body) } }),
    responses: { [route.status]: success(route), default: { $ref: '#/components/responses/Problem' } },
    'x-max-body-bytes': route.body === null ? 0 : route.maxBody,
  }
}

function requestContent(body: z.ZodType | 'bytes'): Json {
  if (body === 'bytes') return { 'application/octet-stream': {} }
  return { 'application/json': { schema: schemaOf(body, 'input') } }
}

const rawTypes = {
  events: 'text/event-stream',
  bytes: 'application/octet-stream',
  text: 'text/plain',
  html: 'text/html',
} as const

function success(route: Route): Json {
  if (route.result === null) return { description: 'Done' }
  if (route.result === 'page') {
    return { description: 'Go there', headers: { Location: { schema: { type: 'string' } } } }
  }
  if (typeof route.result === 'string') return { description: 'The content', content: { [rawTypes[route.result]]: {} } }
  return { description: 'Done', content: { 'application/json': { schema: schemaOf(route.result, 'output') } } }
}

function parametersOf(schema: z.ZodType, place: 'path' | 'query'): Json[] {
  const object = schemaOf(schema, 'input')
  const required = Array.isArray(object.required) ? object.required : []
  return Object.entries((object.properties ?? {}) as Record<string, Json>).map(([name, value]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: value,
  }))
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io, target: 'draft-2020-12', unrepresentable: 'any' }) as Json
  return rest
}

function securityOf(access: Access): Json[] {
  const people = access.role !== undefined || access.signedIn || access.operator
  return people ? [{ session: [] }, { token: [] }] : [{ token: [] }]
}

/** In words, because OpenAPI has no word for roles outside of OAuth. */
function whoMay(access: Access): string {
  if (access.public) return 'Anyone.'
  const who = [
    access.signedIn ? 'any signed-in person' : null,
    access.operator ? 'operators of this Landfall' : null,
    access.role ? `people with the role ${access.role} in the project, or a higher one` : null,
    ...(access.tokens ?? []).map((kind) => `${kind} tokens of the project${kind === 'ci' ? '' : ' and deployment'}`),
  ].filter((part) => part !== null)
  const text = who.join('; ')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

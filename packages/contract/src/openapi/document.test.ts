import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { Route } from '../route.ts'
import { routes } from '../routes/all.ts'
import { openApiDocument } from './document.ts'

// Through JSON, as clients see it: nothing that JSON can't carry may hide in it.
const document = JSON.parse(JSON.stringify(openApiDocument())) as {
  openapi: string
  tags: { name: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, unknown>; securitySchemes: object; responses: Record<string, unknown> }
}
interface Operation {
  operationId: string
  tags: string[]
  security: Record<string, unknown>[]
  parameters: { name: string; in: string; required: boolean; schema: object }[]
  requestBody?: { content: Record<string, unknown> }
  responses: Record<string, { content?: Record<string, { schema?: unknown }> }>
}
const table = Object.entries(routes) as [string, Route][]

describe('the OpenAPI document', () => {
  it('holds every route, and no other', () => {
    const listed = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => `${method.toUpperCase()} ${path} ${operation.operationId}`),
    )
    expect(listed.sort()).toEqual(table.map(([name, route]) => `${route.method} ${route.path} ${name}`).sort())
  })

  it.each(table)('%s: parameters, body, answers and security are whole', (_, route) => {
    const operation = document.paths[route.path]?.[route.method.toLowerCase()]
    if (!operation) throw new Error('not there')
    const placeholders = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
    const inPath = operation.parameters.filter((parameter) => parameter.in === 'path')
    expect(inPath.map((parameter) => parameter.name).sort()).toEqual(placeholders.sort())
    expect(inPath.every((parameter) => parameter.required)).toBe(true)
    expect(new Set(operation.parameters.map((one) => `${one.in} ${one.name}`)).size).toBe(operation.parameters.length)
    expect(operation.requestBody !== undefined).toBe(route.body !== null)
    expect(Object.keys(operation.responses)).toEqual([String(route.status), 'default'])
    expect(operation.security.length === 0).toBe(route.access.public === true)
    for (const scheme of operation.security.flatMap((one) => Object.keys(one))) {
      expect(document.components.securitySchemes).toHaveProperty(scheme)
    }
    expect(document.tags.map((tag) => tag.name)).toContain(operation.tags[0])
  })

  it('refers only to what it holds, and leaves no schema of a JSON body out', () => {
    const references: string[] = []
    JSON.stringify(document, (key, value) => {
      if (key === '$ref') references.push(value)
      return value
    })
    for (const reference of references) {
      const found = reference
        .slice(2)
        .split('/')
        .reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], document)
      expect(found, reference).toBeDefined()
    }
    for (const [name, route] of table) {
      if (route.result === null || typeof route.result === 'string') continue
      const answer = document.paths[route.path]?.[route.method.toLowerCase()]?.responses[route.status]
      expect(answer?.content?.['application/json']?.schema, name).toBeDefined()
    }
  })

  it('refuses unknown fields in bodies', () => {
    const create = JSON.stringify(document.paths['/api/projects']?.post?.requestBody)
    expect(create).toContain('"additionalProperties":false')
  })

  it('is the one in openapi.json (npm run openapi -w @landfall/contract)', async () => {
    const file = await readFile(new URL('../../openapi.json', import.meta.url), 'utf8')
    expect(JSON.parse(file)).toEqual(document)
  })
})

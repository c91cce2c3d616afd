import { createReadStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isAbsolute, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { LandfallError, toProblem } from '@landfall/stack'
import type { z } from 'zod'
import type { Agent } from '../agent.ts'
import { invalid, readJson } from './read-body.ts'
import { auditQuery, bodies, logQuery, uploadQuery } from './routes.ts'
import { statusOf } from './status-of.ts'
import { receive } from './upload.ts'

export interface HandleOptions {
  agent: Agent
  /** Directory for uploads and for exports on their way out. */
  area: string
}

/** Answers one call that was let in. Errors are thrown, unless an answer has begun. */
export async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  { agent, area }: HandleOptions,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://agent')
  const query = <T extends z.ZodType>(shape: T): z.output<T> => {
    const parsed = shape.safeParse(Object.fromEntries(url.searchParams))
    if (parsed.success) return parsed.data
    throw invalid(parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message })))
  }
  const json = (value: unknown) => {
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(JSON.stringify(value))
  }
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /v1/status':
      return json(await agent.status())
    case 'GET /v1/audit': {
      const { after, limit } = query(auditQuery)
      return json(await agent.audit(after, limit))
    }
    case 'GET /v1/audit/verify':
      return json(await agent.verifyAudit())
    case 'GET /v1/logs':
      return json({ lines: await agent.logs(query(logQuery).limit) })
    case 'POST /v1/imports': {
      const { file, ...options } = await readJson(request, bodies['POST /v1/imports'])
      await requireFile(file)
      return importing(response, agent, file, options)
    }
    case 'PUT /v1/imports': {
      const { allowOlder, by } = query(uploadQuery)
      const file = await receive(request, area)
      try {
        return await importing(response, agent, file, { allowOlder: allowOlder === 'true', by })
      } finally {
        await rm(file, { force: true })
      }
    }
    case 'POST /v1/exports': {
      const { by } = await readJson(request, bodies['POST /v1/exports'])
      const file = join(area, `${crypto.randomUUID()}.export`)
      try {
        const { sequence, size } = await agent.exportTo(file, by)
        response.writeHead(200, {
          'content-type': 'application/octet-stream',
          'content-length': size,
          'landfall-export': String(sequence),
        })
        return await pipeline(createReadStream(file), response)
      } finally {
        await rm(file, { force: true })
      }
    }
    case 'POST /v1/exports/confirm': {
      const { through, by } = await readJson(request, bodies['POST /v1/exports/confirm'])
      return json(await agent.confirmExports(through, by))
    }
    case 'POST /v1/answers': {
      const { message, ...answer } = await readJson(request, bodies['POST /v1/answers'])
      await agent.answer({ ...answer, ...(message !== undefined && { message }) })
      return json({})
    }
    case 'POST /v1/commands': {
      const { envelope, by } = await readJson(request, bodies['POST /v1/commands'])
      return json(await agent.command(envelope, by))
    }
    case 'POST /v1/pause':
      return json(await agent.pause((await readJson(request, bodies['POST /v1/pause'])).by))
    case 'POST /v1/resume':
      return json(await agent.resume((await readJson(request, bodies['POST /v1/resume'])).by))
    case 'POST /v1/settings': {
      const { change, by } = await readJson(request, bodies['POST /v1/settings'])
      const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
      return json(await agent.changeSettings(given, by))
    }
    default:
      throw new LandfallError({
        code: 'E_NOT_FOUND',
        message: `The local API has no ${request.method} ${url.pathname}.`,
        hint: 'See the list of its calls in packages/agent/README.md.',
      })
  }
}

/** Lines of JSON while it goes on, because a large bundle takes minutes; the last one has the result or the refusal. */
async function importing(
  response: ServerResponse,
  agent: Agent,
  file: string,
  options: { allowOlder: boolean; by: string },
): Promise<void> {
  const line = (value: unknown) => response.write(`${JSON.stringify(value)}\n`)
  let told = 0
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
  try {
    const onProgress = (done: number, total: number) => {
      // A hundred lines say as much as a million.
      if (done < total && done - told < total / 100) return
      told = done
      line({ progress: { done, total } })
    }
    line({ result: await agent.importBundle(file, { ...options, onProgress }) })
  } catch (error) {
    line({ problem: toProblem(error, statusOf(error)) })
  }
  response.end()
}

/** A plain file by its whole path: a pipe or a device would hold the agent up. */
async function requireFile(file: string): Promise<void> {
  const info = isAbsolute(file) ? await stat(file).catch(() => null) : null
  if (info?.isFile()) return
  throw new LandfallError({
    code: 'E_BUNDLE_NOT_FOUND',
    message: `The agent finds no file at ${file}.`,
    hint: 'Give the whole path of a file that the agent can read, or upload it.',
  })
}

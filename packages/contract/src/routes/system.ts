import { z } from 'zod'
import { route } from '../route.ts'
import { principal } from '../schemas/account.ts'

const tag = 'system'
export const systemRoutes = {
  health: route({
    operation: 'health',
    method: 'GET',
    path: '/health',
    tag,
    summary: 'The process answers',
    access: { public: true },
    result: z.object({ status: z.literal('ok'), version: z.string() }),
  }),
  ready: route({
    operation: 'ready',
    method: 'GET',
    path: '/ready',
    tag,
    summary: 'The database answers and migrations are done; 503 otherwise',
    access: { public: true },
    result: z.object({ status: z.enum(['ready', 'starting', 'draining']), checks: z.record(z.string(), z.string()) }),
  }),
  metrics: route({
    operation: 'metrics',
    method: 'GET',
    path: '/metrics',
    tag,
    summary: 'Prometheus metrics of the manager',
    access: { public: true },
    result: 'text',
  }),
  openapi: route({
    operation: 'openapi',
    method: 'GET',
    path: '/api/openapi.json',
    tag,
    summary: 'This API as OpenAPI 3.1',
    access: { public: true },
    result: z.unknown(),
  }),
  errorPage: route({
    operation: 'errorPage',
    method: 'GET',
    path: '/docs/errors/{code}',
    tag,
    summary: 'What an error code means, why it happens and what to do, as a page',
    access: { public: true },
    params: z.strictObject({ code: z.string().max(80) }),
    result: 'html',
  }),
  reasonsPage: route({
    operation: 'reasonsPage',
    method: 'GET',
    path: '/docs/reasons',
    tag,
    summary: 'What every reason code means and what to do, as a page; each code is an anchor',
    access: { public: true },
    result: 'html',
  }),
  whoami: route({
    operation: 'whoami',
    method: 'GET',
    path: '/api/whoami',
    tag,
    summary: 'Who the caller is, and with which roles',
    access: { signedIn: true, tokens: ['ci', 'deployer', 'agent'] },
    result: principal,
  }),
}

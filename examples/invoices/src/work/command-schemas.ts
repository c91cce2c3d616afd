/* JSON Schema (2020-12). The manager checks a call against them before it is sent, so the handlers need not. */

export const reindexInput = {
  type: 'object',
  properties: { dryRun: { type: 'boolean', description: 'Only count what is missing' } },
  additionalProperties: false,
} as const
export const reindexOutput = {
  type: 'object',
  properties: { seen: { type: 'integer' }, added: { type: 'integer' } },
  required: ['seen', 'added'],
} as const

export const exportInput = {
  type: 'object',
  properties: {
    customer: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,63}$' },
    format: { enum: ['csv', 'json'] },
  },
  additionalProperties: false,
} as const
export const exportOutput = {
  type: 'object',
  properties: { invoices: { type: 'integer' }, key: { type: 'string' }, bytes: { type: 'integer' } },
  required: ['invoices', 'key', 'bytes'],
} as const

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { manifest } from '../manifest/manifest.ts'
import { LandfallError } from './landfall-error.ts'
import { problemsOf } from './problems-of.ts'
import { redact } from './redact.ts'
import { toProblem } from './to-problem.ts'

describe('problemsOf', () => {
  it('names the resource, the field and what is wrong with it, all at once', () => {
    const value = {
      schema: 'landfall.dev/manifest/v1',
      project: 'acme',
      platforms: ['local', 'moon'],
      resources: [
        { type: 'queue', name: 'jobs', lifecycle: 'frozen', color: 'red' },
        {
          type: 'worker',
          name: 'api',
          lifecycle: 'live',
          code: { kind: 'source', entry: 3 },
          rollout: { strategy: 'canary', steps: [{ share: 10 }, { share: 'all' }] },
          env: { lower: 'x' },
        },
        { type: 'spaceship', name: 'x', lifecycle: 'live' },
      ],
    }
    const result = manifest.safeParse(value)
    if (result.success) throw new Error('must not parse')
    const problems = new Map(problemsOf(result.error, value).map((problem) => [problem.path, problem.message]))
    expect([...problems.keys()].sort()).toEqual([
      'platforms[1]',
      'resources.api.code.entry',
      'resources.api.env.lower',
      'resources.api.rollout.steps[1].share',
      'resources.jobs.color',
      'resources.x.type',
    ])
    expect(problems.get('resources.jobs.color')).toContain('not known')
    expect(problems.get('resources.api.code.entry')).toBe('must be a string: it is of another type')
    expect(problems.get('platforms[1]')).toContain('"kubernetes"')
  })

  it('never repeats a value', () => {
    const result = z.strictObject({ token: z.string().regex(/^a$/) }).safeParse({ token: 'hunter2' })
    expect(JSON.stringify(problemsOf(result.error ?? new z.ZodError([])))).not.toContain('hunter2')
  })
})

describe('toProblem', () => {
  it('carries code, hint and problems', () => {
    const error = new LandfallError({
      code: 'E_STACK_INVALID',
      message: 'The stack has 1 problem.',
      hint: 'Fix it.',
      subject: 'stack:acme',
      problems: [{ path: 'resources.api', message: 'is twice' }],
    })
    expect(toProblem(error, 422)).toEqual({
      type: 'https://landfall.dev/errors/E_STACK_INVALID',
      title: 'Stack invalid',
      detail: 'The stack has 1 problem.',
      code: 'E_STACK_INVALID',
      hint: 'Fix it.',
      retryable: false,
      status: 422,
      subject: 'stack:acme',
      problems: [{ path: 'resources.api', message: 'is twice' }],
    })
  })

  it('tells nothing of an error that is not ours', () => {
    const text = JSON.stringify(toProblem(new Error('password=hunter2')))
    expect(text).not.toContain('hunter2')
    expect(text).toContain('E_INTERNAL')
  })
})

describe('redact', () => {
  it('removes a secret in every form it is likely to be written in', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4, unit: 'grapheme' }), fc.string(), fc.string(), (secret, before, after) => {
        for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) {
          if ('[redacted]'.includes(form)) continue
          expect(redact(`${before} ${form} ${after}`, [secret])).not.toContain(` ${form} `)
        }
      }),
    )
  })

  it('masks the longer of two that overlap', () => {
    expect(redact('key=abcdef', ['abcd', 'abcdef'])).toBe('key=[redacted]')
  })
})

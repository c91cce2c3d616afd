import { describe, expect, it } from 'vitest'
import { LandfallError } from '../errors/landfall-error.ts'
import { compileStack, input, Stack } from '../sdk/index.ts'
import { validateInputs } from './validate-inputs.ts'

const manifest = compileStack(
  new Stack('acme', {
    platforms: ['local'],
    resources: [],
    inputs: {
      region: input.enum(['eu', 'us'], { providedBy: 'customer', default: 'eu' }),
      domain: input.string({ providedBy: 'customer', required: true, pattern: '[a-z.]+' }),
      seats: input.integer({ providedBy: 'vendor', minimum: 1, maximum: 100 }),
      ratio: input.number({ providedBy: 'vendor', default: 0.5 }),
      beta: input.boolean({ providedBy: 'vendor', default: false }),
    },
  }),
)

function problems(values: Record<string, unknown>, by?: 'vendor' | 'customer'): string[] {
  try {
    validateInputs(manifest, values, by)
  } catch (error) {
    if (LandfallError.is(error, 'E_INPUT_INVALID')) return error.problems.map((one) => `${one.path} ${one.message}`)
    throw error
  }
  return []
}

describe('validateInputs', () => {
  it('fills in defaults, and leaves out what has no value', () => {
    expect(validateInputs(manifest, { domain: 'a.example' })).toEqual({
      beta: false,
      domain: 'a.example',
      ratio: 0.5,
      region: 'eu',
    })
  })

  it('tells everything that is wrong, without the values', () => {
    const found = problems({ region: 'mars', domain: 'hunter2!', seats: 101, ratio: '1', beta: 'true', other: 1 })
    expect(found).toEqual([
      'inputs.other is not an input of this release: it has beta, domain, ratio, region, seats',
      'inputs.beta must be true or false',
      'inputs.domain must match [a-z.]+',
      'inputs.ratio must be a number',
      'inputs.region must be one of eu, us',
      'inputs.seats must be at most 100',
    ])
    expect(found.join()).not.toContain('hunter2')
  })

  it.each([
    [{}, 'inputs.domain is missing: the customer must give it'],
    [{ domain: 'a\0b' }, 'inputs.domain must not have a NUL character, which no environment can hold'],
    [{ domain: 'x'.repeat(5000) }, 'inputs.domain must have at most 4096 characters'],
    [{ domain: 'ok\nEVIL' }, 'inputs.domain must match [a-z.]+'],
    [{ domain: 'ok', seats: 1.5 }, 'inputs.seats must be a whole number'],
    [{ domain: 'ok', ratio: Number.NaN }, 'inputs.ratio must be a number'],
    [
      { domain: 'ok', constructor: 'x' },
      'inputs.constructor is not an input of this release: it has beta, domain, ratio, region, seats',
    ],
  ])('refuses %j', (values, problem) => {
    expect(problems(values)).toEqual([problem])
  })

  it('holds each side to its own inputs', () => {
    expect(problems({ domain: 'ok', seats: 3 }, 'customer')).toEqual([
      'inputs.seats is for the vendor to give: leave it out',
    ])
    expect(problems({ domain: 'ok', region: 'us' }, 'customer')).toEqual([])
  })
})

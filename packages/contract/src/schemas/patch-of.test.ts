import { customerSettings } from '@landfall/stack'
import { expect, it } from 'vitest'
import { policy } from './deployment.ts'
import { patchOf } from './patch-of.ts'

it('leaves out what is left out, instead of setting it back to its default', () => {
  expect(patchOf(customerSettings).parse({ updates: 'paused' })).toEqual({ updates: 'paused' })
  expect(patchOf(policy).parse({ drift: 'report' })).toEqual({ drift: 'report' })
  expect(patchOf(customerSettings).parse({})).toEqual({})
})

it('takes the same values, and no others', () => {
  expect(patchOf(customerSettings).safeParse({ updates: 'sometimes' }).success).toBe(false)
  expect(patchOf(customerSettings).safeParse({ colour: 'red' }).success).toBe(false)
  expect(patchOf(policy).safeParse({ trustedKeys: [] }).success).toBe(false)
})

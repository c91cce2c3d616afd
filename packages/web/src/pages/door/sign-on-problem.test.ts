import { expect, test } from 'vitest'
import { signOnProblem } from './sign-on-problem.ts'

test('a refused single sign-on is told with its code and what to do', () => {
  expect(signOnProblem('E_SSO_UNKNOWN')).toMatchObject({
    code: 'E_SSO_UNKNOWN',
    hint: expect.stringContaining('invite'),
  })
  expect(signOnProblem('E_SSO_NEWER')).toMatchObject({
    code: 'E_SSO_NEWER',
    message: 'The single sign-on was refused.',
  })
})

test('an address can put no words of its own on the page', () => {
  for (const code of [undefined, '', 'constructor', 'Call 555-0100', 'E_<b>', `E_${'A'.repeat(50)}`]) {
    expect(signOnProblem(code)).toBeNull()
  }
})

import { beforeAll, expect, test, vi } from 'vitest'

let visitOf: typeof import('./visit.ts').visitOf
beforeAll(async () => {
  vi.stubGlobal('location', { pathname: '/', hash: '' })
  vi.stubGlobal('window', { addEventListener: () => undefined })
  ;({ visitOf } = await import('./visit.ts'))
})

test('a portal link is read from its fragment, and only a whole one counts', () => {
  expect(visitOf('#token=lf_deployer_a%2Bb&project=shop&deployment=globex')).toEqual({
    token: 'lf_deployer_a+b',
    project: 'shop',
    deployment: 'globex',
  })
  expect(visitOf('#token=lf_deployer_a&project=shop')).toBeNull()
  expect(visitOf('#content')).toBeNull()
  expect(visitOf('')).toBeNull()
})

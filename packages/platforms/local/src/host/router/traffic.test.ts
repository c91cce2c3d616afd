import { afterEach, beforeEach, expect, test } from 'vitest'
import { TestEnvironment } from '../../testing/environment.ts'
import { hello } from '../../testing/sources.ts'

let environment: TestEnvironment
beforeEach(async () => {
  environment = await TestEnvironment.open()
})
afterEach(() => environment.close())

test('a request is answered by the version that serves, and says so', async () => {
  const api = environment.worker(hello('one'))
  const { url } = await environment.serve(api, '1.0.0')
  const response = await fetch(url)
  expect(await response.text()).toBe('one')
  expect(response.headers.get('landfall-version')).toBe('1.0.0')
})

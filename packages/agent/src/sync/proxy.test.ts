import { describe, expect, it } from 'vitest'
import { proxyFor } from './proxy.ts'

const at = (url: string, env: Record<string, string>) => proxyFor(new URL(url), env)

describe('the proxy of the environment', () => {
  it('is chosen by scheme, lower case first', () => {
    const env = { HTTPS_PROXY: 'http://secure:1', HTTP_PROXY: 'http://plain:2', http_proxy: 'http://lower:3' }
    expect(at('https://manager.example', env)).toBe('http://secure:1')
    expect(at('http://manager.example', env)).toBe('http://lower:3')
    expect(at('https://manager.example', {})).toBeNull()
    expect(at('https://manager.example', { HTTPS_PROXY: '' })).toBeNull()
    expect(at('https://manager.example', { HTTPS_PROXY: 'proxy:8080' })).toBe('http://proxy:8080')
  })

  it.each([
    ['*', 'https://a.example', true],
    ['a.example', 'https://a.example', true],
    ['a.example', 'https://b.a.example', true],
    ['.a.example', 'https://b.a.example', true],
    ['*.a.example', 'https://b.a.example', true],
    ['a.example', 'https://ba.example', false],
    ['a.example:8443', 'https://a.example', false],
    ['a.example:443', 'https://a.example', true],
    ['x, A.Example y', 'https://a.example', true],
    ['127.0.0.1', 'https://127.0.0.1:8080', true],
    ['::1', 'https://[::1]:8080', true],
    ['[::1]:8080', 'https://[::1]:8080', true],
    ['[::1]:80', 'https://[::1]:8080', false],
    ['', 'https://a.example', false],
  ])('NO_PROXY=%s for %s: left out is %s', (no, url, out) => {
    expect(at(url, { HTTPS_PROXY: 'http://p:1', NO_PROXY: no }) === null).toBe(out)
  })
})

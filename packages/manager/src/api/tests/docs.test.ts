import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { createTestManager, type TestManager } from '../../testing/manager.ts'
import { docsPage } from '../views/docs-page.ts'

let server: TestServer
let manager: TestManager
beforeAll(async () => {
  server = await startTestServer()
  manager = await createTestManager(server)
})
afterAll(() => server.stop())

const packages = new URL('../../../../', import.meta.url)
const path = (relative: string) => fileURLToPath(new URL(relative, packages))
const textOf = (folder: string) =>
  readdirSync(path(folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.startsWith('testing'))
    .map((file) => readFileSync(path(`${folder}/${file}`), 'utf8'))
    .join('\n')
const found = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].flatMap((match) => match.slice(1).filter((one) => one !== undefined))

describe('the pages about codes', () => {
  it('are there for everybody: what an error means and what to do', async () => {
    const response = await manager.call('GET', '/docs/errors/E_ACCESS_REVOKED')
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('content-security-policy')).toContain("default-src 'self'")
    const page = await response.text()
    expect(page).toContain('<h1>E_ACCESS_REVOKED</h1>')
    expect(page).toContain('<code>access-revoked</code>')
  })

  it('are nothing but these pages', async () => {
    const codes = ['E_NO_SUCH_CODE', '..%2Freasons', '..%2F..%2Fpackage', 'E_X%2F..%2FE_CSRF', 'README', 'E_CSRF.md']
    for (const code of codes) {
      const response = await manager.call('GET', `/docs/errors/${code}`)
      expect(response.status, code).toBe(404)
      expect(await response.json(), code).toMatchObject({ code: 'E_NOT_FOUND' })
    }
  })

  it('have an anchor for every reason that the engine, the rollouts and the explanations give', async () => {
    const page = await (await manager.call('GET', '/docs/reasons')).text()
    const anchors = new Set(found(page, /<tr id="([^"]+)">/g))
    const upper = /'([A-Z]{2,}(?:_[A-Z]+)*)'/g
    const machine = textOf('rollout/src/machine')
    const codes = [
      // Where the engine gives reasons; other rooms of it have words of RFC 5545 and of HTTP.
      ...['decide', 'explain', 'plan', 'run', 'state'].flatMap((room) => found(textOf(`engine/src/${room}`), upper)),
      ...found(readFileSync(path('manager/src/api/views/explanation.ts'), 'utf8'), /check\([^()]*?'([A-Z]\w+)'/g),
      ...found(machine, /(?:wait|decide|beginAbort)\(\s*look,\s*'([a-z-]+)'/g),
      ...found(machine + textOf('rollout/src/fleet'), /code: '([a-z-]+)'/g),
      ...found(textOf('manager/src/control/fleet'), /code: '([a-z-]+)'/g),
      // Made from parts in the machine.
      ...['person', 'step', 'gate', 'no-data', 'inconclusive'].map((kind) => `paused-${kind}`),
      ...['approval', 'window', 'webhook', 'command', 'job', 'peers'].map((kind) => `waiting-for-${kind}`),
      ...['pause', 'resume', 'promote', 'promote-full', 'abort', 'retry'].map((kind) => `control-${kind}`),
    ].filter((code) => !code.startsWith('E_'))
    expect(new Set(codes).size).toBeGreaterThan(80)
    expect([...new Set(codes)].filter((code) => !anchors.has(code))).toEqual([])
  })

  it('say what is written and run nothing of it', () => {
    const page = docsPage(
      '# A <b>\n\n- **one**\n  more\n- `x < y` and `E_CSRF`\n\n```sh\na\n\n<script>\n```\n\n1. first\n',
    )
    expect(page).toContain('<h1>A &lt;b&gt;</h1>')
    expect(page).toContain('<ul><li><strong>one</strong> more</li>')
    expect(page).toContain('<code>x &lt; y</code> and <a href="/docs/errors/E_CSRF"><code>E_CSRF</code></a>')
    expect(page).toContain('<pre><code>a\n\n&lt;script&gt;</code></pre>')
    expect(page).toContain('<ol><li>first</li></ol>')
  })
})

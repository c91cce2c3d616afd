import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { Island } from './island.ts'

it('counts who tries to leave, and lets nobody', async ({ skip }) => {
  const island = await Island.open()
  if ('unavailable' in island) {
    if (process.env.CI === 'true') throw new Error(island.unavailable)
    return skip(`not run: network namespace, because ${island.unavailable}`)
  }
  try {
    expect(island.packets()).toEqual({ interfaces: [], crossed: 0, noRoute: 0 })
    const node = (code: string) => {
      const [command, args] = island.inside([process.execPath, '-e', code])
      return spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 })
    }
    const talk = `const s = require('net').createServer((c) => c.end('hello')).listen(0, '127.0.0.1', () => {
      require('net').connect(s.address().port, '127.0.0.1').on('data', (d) => { console.log(String(d)); process.exit() }) })`
    expect(node(talk).stdout).toBe('hello\n')
    expect(island.packets().noRoute).toBe(0)
    for (const address of ['192.0.2.1', '2001:db8::1']) {
      const before = island.packets().noRoute
      const leave = `require('net').connect(80, '${address}').on('error', (e) => { console.log(e.code); process.exit() })`
      expect(node(leave).stdout).toBe('ENETUNREACH\n')
      expect(island.packets().noRoute).toBeGreaterThan(before)
    }
    expect(island.packets().crossed).toBe(0)
  } finally {
    island.close()
  }
})

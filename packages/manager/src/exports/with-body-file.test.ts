import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { withBodyFile } from './with-body-file.ts'

let room = ''
beforeEach(async () => {
  room = await mkdtemp(join(tmpdir(), 'landfall-room-'))
  vi.stubEnv('TMPDIR', room)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(room, { recursive: true, force: true })
})

const body = async function* () {
  yield Buffer.from('an ')
  yield Buffer.from('export')
}

it('leaves nothing, whatever becomes of the work', async () => {
  expect(await withBodyFile(body(), (file) => readFile(file, 'utf8'))).toBe('an export')
  const refused = withBodyFile(body(), () => Promise.reject(new Error('refused')))
  await expect(refused).rejects.toThrow('refused')
  expect(await readdir(room)).toEqual([])
})

it('takes away what a killed manager left, and nothing of one that lives', async () => {
  const ended = spawnSync(process.execPath, ['--version']).pid
  const left = [`landfall-export-${ended}-0badc0de-a1b2c3`, `landfall-export-${process.pid}-0badc0de-a1b2c3`]
  const kept = [`landfall-export-${process.ppid}-0badc0de-a1b2c3`, 'landfall-export-of-somebody-else']
  for (const name of [...left, ...kept]) await mkdir(join(room, name))
  await withBodyFile(body(), async () => {
    // Two at once: the second leaves the first alone.
    expect(await withBodyFile(body(), (file) => readFile(file, 'utf8'))).toBe('an export')
    const [mine, ...more] = (await readdir(room)).filter((name) => !kept.includes(name))
    expect(more).toEqual([])
    expect(await readFile(join(room, String(mine), 'export'), 'utf8')).toBe('an export')
  })
  expect((await readdir(room)).sort()).toEqual(kept.sort())
})

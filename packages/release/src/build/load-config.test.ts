import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { LandfallError } from '@landfall/stack'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from './load-config.ts'

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'landfall-project-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const write = async (files: Record<string, string>) => {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true })
    await writeFile(join(dir, name), text)
  }
}
const failure = async (path = dir) => {
  const error: unknown = await loadConfig(path).catch((cause: unknown) => cause)
  if (!LandfallError.is(error)) throw new Error(`expected a LandfallError, got ${String(error)}`)
  return error
}
const good = `import { Stack, storage } from '@landfall/stack'
export default new Stack(process.env.LANDFALL_TEST_NAME ?? 'acme', { resources: [storage('files', { lifecycle: 'frozen' })], platforms: ['local'] })
`

describe('loadConfig', () => {
  it('compiles the stack, by directory and by file, with the packages the config imports', async () => {
    await write({
      'landfall.config.ts': `import { name } from './name.ts'\nimport { platform } from 'their-package'\n${good
        .replace("'acme'", 'name')
        .replace("'local'", 'platform')}`,
      'name.ts': "export const name: string = 'from-file'\n",
      'node_modules/their-package/package.json': '{"name":"their-package","main":"index.js"}',
      'node_modules/their-package/index.js': "require('node:path'); exports.platform = 'local'",
    })
    const loaded = await loadConfig(dir)
    expect(loaded.manifest.project).toBe('from-file')
    expect(loaded.manifest.platforms).toEqual(['local'])
    expect(loaded.dir).toBe(dir)
    expect((await loadConfig(join(dir, 'landfall.config.ts'))).manifest).toEqual(loaded.manifest)
  })

  it('reads the environment anew each time', async () => {
    await write({ 'landfall.config.ts': good })
    try {
      for (const name of ['first', 'second']) {
        process.env.LANDFALL_TEST_NAME = name
        expect((await loadConfig(dir)).manifest.project).toBe(name)
      }
    } finally {
      delete process.env.LANDFALL_TEST_NAME
    }
  })

  it("uses this process's @landfall/stack, whatever the project has installed", async () => {
    await write({
      'landfall.config.ts': good,
      'node_modules/@landfall/stack/package.json': '{"name":"@landfall/stack","type":"module","main":"index.js"}',
      'node_modules/@landfall/stack/index.js': "throw new Error('the wrong copy')",
    })
    expect((await loadConfig(dir)).manifest.project).toBe('acme')
  })

  it('knows where it lies', async () => {
    await write({
      'landfall.config.ts': `import { readFileSync } from 'node:fs'
const name = readFileSync(new URL('./name.txt', import.meta.url), 'utf8')
if (import.meta.dirname !== ${JSON.stringify(dir)}) throw new Error('lost')
${good.replace("'acme'", 'name')}`,
      'name.txt': 'by-file',
    })
    expect((await loadConfig(dir)).manifest.project).toBe('by-file')
  })

  it('names file and line of what does not parse', async () => {
    await write({ 'landfall.config.ts': `${good}\nconst = 1\n` })
    const error = await failure()
    expect(error.code).toBe('E_CONFIG_SYNTAX')
    expect(error.message).toContain('landfall.config.ts:4:7')
  })

  it('names file and line of an import that is not there', async () => {
    await write({ 'landfall.config.ts': `import x from './absent.ts'\n${good}export const y = x\n` })
    const error = await failure()
    expect(error.code).toBe('E_CONFIG_SYNTAX')
    expect(error.message).toContain('landfall.config.ts:1:15')
  })

  it('names file and line of what throws, in an imported file too', async () => {
    await write({
      'landfall.config.ts': `import { check } from './lib/check.ts'\n${good}check()\n`,
      'lib/check.ts': "// a line\nexport function check(): void {\n  throw new Error('no region given')\n}\n",
    })
    const error = await failure()
    expect(error.code).toBe('E_CONFIG_FAILED')
    expect(error.message).toMatch(/^lib\/check\.ts:3:\d+: .*no region given/)
  })

  it('passes on what the stack itself refuses', async () => {
    await write({ 'landfall.config.ts': good.replace("'files'", "'Files!'") })
    expect((await failure()).code).toBe('E_STACK_INVALID')
  })

  it.each([
    ['nothing', 'export const a = 1\n'],
    ['something else', 'export default { resources: [] }\n'],
  ])('wants a Stack when the config exports %s', async (_, text) => {
    await write({ 'landfall.config.ts': text })
    expect((await failure()).code).toBe('E_CONFIG_EXPORT')
  })

  it('says when there is no config', async () => {
    expect((await failure()).code).toBe('E_CONFIG_NOT_FOUND')
    expect((await failure(join(dir, 'absent.ts'))).code).toBe('E_CONFIG_NOT_FOUND')
  })

  it('leaves nothing behind', async () => {
    const own = await mkdtemp(join(tmpdir(), 'landfall-tmp-'))
    const before = process.env.TMPDIR
    process.env.TMPDIR = own
    try {
      await write({ 'landfall.config.ts': good })
      await loadConfig(dir)
      await write({ 'landfall.config.ts': 'throw new Error()' })
      await failure()
      expect(await readdir(own)).toEqual([])
    } finally {
      if (before === undefined) delete process.env.TMPDIR
      else process.env.TMPDIR = before
      await rm(own, { recursive: true, force: true })
    }
  })
})

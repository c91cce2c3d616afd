import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe } from 'vitest'
import { findChromium, startBrowser } from './browser.ts'
import { type Fixture, startFixture } from './fixture/server.ts'

export interface Stage {
  readonly fixture: Fixture
  readonly browser: Browser
  /** A page of a signed-in person. */
  open: (path: string, options?: Parameters<Browser['newContext']>[0]) => Promise<Page>
}

const executable = findChromium()
if (!executable) {
  const what = 'browser tests, because no Chromium was found (apt-get install chromium)'
  if (process.env.CI === 'true') throw new Error(`can't run: ${what}`)
  console.log(`not run: ${what}`)
}

/** Tests with a freshly built web app, a fixture and a browser, all ended afterwards; skipped where there is no browser. */
export function withStage(name: string, tests: (stage: Stage) => void, options: { deployments?: number } = {}): void {
  describe.skipIf(!executable)(name, () => {
    let fixture: Fixture
    let browser: Browser
    let directory: string
    const contexts: BrowserContext[] = []
    beforeAll(async () => {
      const { build } = await import('vite')
      directory = await mkdtemp(join(tmpdir(), 'landfall-web-'))
      await build({
        root: join(import.meta.dirname, '..'),
        configFile: join(import.meta.dirname, '../vite.config.ts'),
        logLevel: 'error',
        build: { outDir: directory },
      })
      fixture = await startFixture({ dist: directory, ...options })
      browser = await startBrowser(executable ?? '')
    })
    afterAll(async () => {
      await browser?.close()
      await fixture?.close()
      if (directory) await rm(directory, { recursive: true, force: true })
    })
    tests({
      get fixture() {
        return fixture
      },
      get browser() {
        return browser
      },
      async open(path, contextOptions = {}) {
        for (const context of contexts.splice(0)) await context.close()
        const context = await browser.newContext({
          viewport: { width: 1440, height: 900 },
          baseURL: fixture.url,
          reducedMotion: 'reduce',
          ...contextOptions,
        })
        contexts.push(context)
        await context.addCookies([{ name: 'landfall_session', value: 'fixture', url: fixture.url }])
        const page = await context.newPage()
        await page.goto(path)
        await settled(page)
        return page
      },
    })
  })
}

/** Waits until the page has its sentence and nothing of it loads any more. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(
    () => document.querySelector('.sentence') !== null && document.querySelector('.skeleton') === null,
  )
}

/** Presses Tab until the focus is where it should be; fails after many. */
export async function tabTo(page: Page, wanted: string | RegExp, most = 150): Promise<void> {
  for (let count = 0; count < most; count++) {
    await page.keyboard.press('Tab')
    const name = await page.evaluate(() => {
      const at = document.activeElement
      const label = at instanceof HTMLInputElement ? at.labels?.[0]?.textContent : null
      return at?.getAttribute('aria-label') ?? label ?? at?.textContent ?? ''
    })
    if (typeof wanted === 'string' ? name.trim() === wanted : wanted.test(name.trim())) return
  }
  throw new Error(`Tab never reached ${wanted}`)
}

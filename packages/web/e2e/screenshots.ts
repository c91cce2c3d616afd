/**
 * Pictures of every page, to be looked at: `node packages/web/e2e/screenshots.ts DIRECTORY [page…]`, after
 * `npm run build -w @landfall/web`. Both widths, both themes.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { findChromium, startBrowser } from './browser.ts'
import { startFixture } from './fixture/server.ts'
import { pages } from './pages.ts'

const [directory = 'screenshots', ...only] = process.argv.slice(2)
const executable = findChromium()
if (!executable) throw new Error('no Chromium was found (apt-get install chromium)')
await mkdir(directory, { recursive: true })
const fixture = await startFixture({ dist: join(import.meta.dirname, '../dist') })
const browser = await startBrowser(executable)
try {
  for (const scheme of ['light', 'dark'] as const) {
    for (const width of [1440, 390]) {
      const context = await browser.newContext({
        viewport: { width, height: width < 700 ? 1900 : 1500 },
        colorScheme: scheme,
        baseURL: fixture.url,
      })
      await context.addCookies([{ name: 'landfall_session', value: 'fixture', url: fixture.url }])
      const page = await context.newPage()
      page.on('pageerror', (error) => console.error(`${page.url()}: ${error.message}`))
      for (const { name, path } of pages) {
        if (only.length > 0 && !only.includes(name)) continue
        await page.goto(path)
        await page.locator('.sentence:not(:has(.skeleton)), .dialog').first().waitFor()
        await page.waitForFunction(() => !document.querySelector('.skeleton'))
        await page.screenshot({ path: join(directory, `${name}-${width}-${scheme}.png`) })
      }
      await context.close()
    }
  }
} finally {
  await browser.close()
  await fixture.close()
}
for (const fault of fixture.faults) console.error(fault)

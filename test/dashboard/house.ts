import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Manager, startManager } from '@landfall/manager'
import { removePostgres } from '@landfall/postgres'
import { seriousViolations } from '../../packages/web/e2e/axe.ts'
import { findChromium, startBrowser } from '../../packages/web/e2e/browser.ts'
import { buildDashboard } from '../../scripts/setup/build-dashboard.ts'
import { project, type Shop } from './shop.ts'

type Browser = Awaited<ReturnType<typeof startBrowser>>
export type Page = Awaited<ReturnType<Browser['newPage']>>

/** Where Chromium is; null, and said so, where there is none. With `CI=true` that is a failure. */
export function chromiumOrSkip(): string | null {
  const executable = findChromium()
  if (executable) return executable
  const what = 'the dashboard on a real manager, because no Chromium was found (apt-get install chromium)'
  if (process.env.CI === 'true') throw new Error(`can't run: ${what}`)
  console.log(`not run: ${what}`)
  return null
}

/** A manager with an embedded PostgreSQL and the dashboard, a browser, and how both are ended. */
export class House {
  readonly manager: Manager
  readonly directory: string
  /** What pages complained of: errors, refused content, answers of 500. */
  readonly faults: string[] = []
  readonly #browser: Browser

  private constructor(directory: string, manager: Manager, browser: Browser) {
    this.directory = directory
    this.manager = manager
    this.#browser = browser
  }

  static async open(chromium: string): Promise<House> {
    const directory = await mkdtemp(join(tmpdir(), 'landfall-dashboard-'))
    const [browser] = await Promise.all([startBrowser(chromium), buildDashboard(() => {})])
    const manager = await startManager({ dataDir: directory, port: 0 })
    return new House(directory, manager, browser)
  }

  /** A person's browser: nobody is signed in. */
  async visitor(): Promise<Page> {
    const context = await this.#browser.newContext({
      viewport: { width: 1440, height: 900 },
      baseURL: this.manager.url,
      reducedMotion: 'reduce',
    })
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    page.on('pageerror', (error) => this.faults.push(`${page.url()}: ${error.message}`))
    page.on('console', (line) => {
      if (line.type() === 'error' && /Content Security Policy/.test(line.text())) this.faults.push(line.text())
    })
    page.on('response', (response) => {
      if (response.status() >= 500) this.faults.push(`${response.status()} of ${response.url()}`)
    })
    return page
  }

  /** What axe finds serious on the page that is shown, looked at by the same person in a window that lets axe in. */
  async violations(page: Page, width = 1440): Promise<string[]> {
    return this.violationsAt(page.url(), { width, storageState: await page.context().storageState() })
  }

  /** The same at an address, by somebody who is not signed in unless `storageState` says so. */
  async violationsAt(
    address: string,
    of: { width?: number; storageState?: Awaited<ReturnType<ReturnType<Page['context']>['storageState']>> } = {},
  ): Promise<string[]> {
    const context = await this.#browser.newContext({
      viewport: { width: of.width ?? 1440, height: 900 },
      ...(of.storageState && { storageState: of.storageState }),
      reducedMotion: 'reduce',
      bypassCSP: true,
    })
    try {
      const other = await context.newPage()
      await other.goto(address)
      await settled(other)
      return await seriousViolations(other)
    } finally {
      await context.close()
    }
  }

  /** Ends all of it; the deployments are destroyed first, as by a customer who leaves. */
  async close(shop: Shop | undefined): Promise<void> {
    await this.#browser.close()
    for (const { name } of shop ? (await shop.client.listDeployments({ params: { project } })).items : [])
      await shop?.client.destroyDeployment({ params: { project, deployment: name } })
    const until = Date.now() + 30_000
    while (shop && Date.now() < until) {
      const { items } = await shop.client.listDeployments({ params: { project } })
      if (items.every(({ phase }) => phase === 'deleted')) break
      await new Promise((done) => setTimeout(done, 100))
    }
    await this.manager.stop()
    await removePostgres(join(this.directory, 'postgres'))
    await rm(this.directory, { recursive: true, force: true })
  }
}

/** Waits until the page has its sentence and nothing of it loads any more. */
export async function settled(page: Page): Promise<void> {
  await page.locator('.sentence').first().waitFor()
  await page.locator('.skeleton').first().waitFor({ state: 'detached' })
}

/** Presses Tab until the focus is on the control of this name. */
export async function tabTo(page: Page, name: string): Promise<void> {
  const focused = page.locator(':focus')
  for (let count = 0; count < 60; count++) {
    await page.keyboard.press('Tab')
    if ((await focused.count()) === 0) continue
    const label = (await focused.getAttribute('aria-label')) ?? (await focused.innerText())
    if (label.trim() === name) return
  }
  throw new Error(`Tab never reached ${name}`)
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chromiumOrSkip, House, type Page, settled, tabTo } from './dashboard/house.ts'
import { person, project, Shop } from './dashboard/shop.ts'

const chromium = chromiumOrSkip()
const name = 'globex'

/** One story, in order: a real manager, a real deployment whose updates wait for an approval, and its customer in a browser. */
describe.skipIf(!chromium)('the customer’s portal on a real manager', { timeout: 60_000 }, () => {
  let house: House
  let shop: Shop
  let page: Page
  let link = { url: '', token: '' }
  const params = { project, deployment: name }
  beforeAll(async () => {
    house = await House.open(chromium ?? '')
    const vendor = await house.visitor()
    await vendor.goto(house.manager.bootstrapUrl ?? '')
    await vendor.getByLabel('Email').fill(person.email)
    await vendor.getByLabel('Name').fill(person.name)
    await vendor.getByLabel('Password').fill(person.password)
    await vendor.getByRole('button', { name: 'Make the account' }).click()
    await vendor.locator('.sentence', { hasText: 'There is no project yet.' }).waitFor()
    await vendor.context().close()
    shop = await Shop.signIn(house.manager.url, house.directory)
    await shop.open()
    await shop.release('1.0.0', '0s')
    await shop.deploy(name, 'early', { updates: 'approval' })
    page = await house.visitor()
  }, 120_000)
  afterAll(async () => {
    await house?.close(shop)
  }, 60_000)

  const sentence = (text: string | RegExp) => page.locator('.sentence', { hasText: text }).waitFor()
  const button = (label: string) => page.getByRole('button', { name: label, exact: true })
  const running = async () => (await shop.client.getDeployment({ params })).actual?.version ?? null
  const audit = async () =>
    (await shop.client.listDeploymentAudit({ params, query: { limit: 200 } })).items.map(({ type }) => type)

  it('opens by the link, whose token leaves the address, and shows what waits', async () => {
    link = await shop.client.createPortalLink({ params, body: { name: 'Ada of Globex', days: 30 } })
    await page.goto(link.url)
    await settled(page)
    expect(page.url()).not.toContain(link.token)
    await page.getByRole('button', { name: 'Approve 1.0.0…' }).waitFor()
    expect(await running()).toBeNull()
    expect(await seen()).toEqual([])
  })

  it('approves the first release, which then runs, without a reload', async () => {
    let loads = 0
    page.on('load', () => loads++)
    await page.getByRole('button', { name: 'Approve 1.0.0…' }).click()
    await page.getByLabel('Message').fill('read by Ada')
    await button('Approve 1.0.0').click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await sentence(/^1\.0\.0 runs/)
    expect(loads).toBe(0)
    expect(await running()).toBe('1.0.0')
    expect(await audit()).toContain('answer.approved')
    await page.getByText('“read by Ada”').waitFor()
  })

  it('does not approve what is not asked any more: the dialog shows what is asked now, and keeps the message', async () => {
    await shop.release('1.1.0', '0s')
    await page.getByRole('button', { name: 'Approve 1.1.0…' }).click()
    await page.getByLabel('Message').fill('go')
    await shop.release('1.2.0', '0s')
    await expect
      .poll(async () => (await shop.client.getDeployment({ params })).target?.version, { timeout: 30_000 })
      .toBe('1.2.0')
    await button('Approve 1.1.0').click()
    await page.getByText('Meanwhile something else is asked; nothing was answered yet.').waitFor()
    expect(await page.getByLabel('Message').inputValue()).toBe('go')
    expect((await shop.client.getPortal({ params })).answers).toHaveLength(1)
    await button('Approve 1.2.0').click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    // Its plan pauses at half of the traffic, until the vendor goes on.
    await page.getByText('1.2.0 serves 50%').first().waitFor()
    await shop.client.controlDeployment({ params, body: { kind: 'promote-full' } })
    await sentence(/^1\.2\.0 runs/)
    expect(await running()).toBe('1.2.0')
    expect((await shop.client.getPortal({ params })).answers.map(({ message }) => message)).toEqual([
      'go',
      'read by Ada',
    ])
  })

  it('sets a maintenance window by keyboard; the manager keeps it, and the vendor reads it', async () => {
    await tabTo(page, 'Add a window…')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await tabTo(page, 'Add the window')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.getByText('Sundays at 04:00, for 4 hours').first().waitFor()
    const { settings } = await shop.client.getPortal({ params })
    expect(settings.windows).toMatchObject([{ rrule: 'FREQ=WEEKLY;BYDAY=SU', duration: '4h' }])
    expect(settings.updates).toBe('approval')
  })

  it('takes the access back, as a clean state, and gives it again', async () => {
    await page.getByRole('button', { name: 'Take the access back…' }).click()
    await button('Take the access back').click()
    await page.getByText('You took the access back.').waitFor()
    await expect
      .poll(async () => (await shop.client.getDeployment({ params })).phase, { timeout: 30_000 })
      .toBe('access-revoked')
    const address = await shop.address(name)
    expect((await fetch(address)).status).toBeLessThan(500)
    await page.getByRole('button', { name: 'Give access again…' }).first().click()
    await button('Give access again').click()
    await page.getByText('You took the access back.').waitFor({ state: 'detached' })
    await expect
      .poll(async () => (await shop.client.getDeployment({ params })).phase, { timeout: 30_000 })
      .toBe('running')
  })

  it('shows the audit as verified, with what the customer did in it', async () => {
    await page.reload()
    await settled(page)
    await page.getByText('The chain is whole').waitFor()
    await page
      .getByText(/The customer changed access to granted/)
      .first()
      .waitFor()
    const saved = page.waitForEvent('download')
    await button('Export as JSON').click()
    await saved
    await page.getByText(/^Recomputed in this browser: \d+ entries, unbroken\.$/).waitFor()
    expect(await seen()).toEqual([])
  })

  it('a revoked link says so, and whom to ask', async () => {
    const { items } = await shop.client.listTokens({ params: { project } })
    const token = items.find((item) => item.name === 'Ada of Globex')
    await shop.client.revokeToken({ params: { project, id: token?.id ?? '' } })
    await page.getByText('This link was revoked.').waitFor()
    expect(house.faults).toEqual([])
  })

  /** What axe finds, in a window of its own that lets axe in, by the same link. */
  async function seen(): Promise<string[]> {
    const back = page.url()
    expect(back).toMatch(/\/portal$/)
    return house.violationsAt(link.url)
  }
})

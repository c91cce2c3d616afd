import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chromiumOrSkip, House, type Page, settled, tabTo } from './dashboard/house.ts'
import { person, project, Shop } from './dashboard/shop.ts'
import { Users } from './dashboard/users.ts'

const chromium = chromiumOrSkip()

/** One story, in order, in one browser: a real manager, real deployments on this machine, and what a person sees of them. */
describe.skipIf(!chromium)('the dashboard on a real manager', { timeout: 40_000 }, () => {
  let house: House
  let shop: Shop
  let page: Page
  let users: Users | null = null
  let rollout = ''
  beforeAll(async () => {
    house = await House.open(chromium ?? '')
    page = await house.visitor()
  }, 90_000)
  afterAll(async () => {
    await users?.stop()
    await house?.close(shop)
  }, 60_000)

  const row = (text: string) => page.locator('tbody tr', { hasText: text })
  const sentence = (text: string | RegExp) => page.locator('.sentence', { hasText: text }).waitFor()
  const button = (name: string, on = page) => on.getByRole('button', { name, exact: true })
  const resize = (width: number) => page.setViewportSize({ width, height: width < 700 ? 844 : 900 })
  const go = async (path: string) => {
    await page.goto(`/p/${project}${path}`)
    await settled(page)
  }

  it('makes the first account from the link, and shows that there is no project', async () => {
    await page.goto(house.manager.bootstrapUrl ?? '')
    expect(await house.violations(page)).toEqual([])
    await page.getByLabel('Email').fill(person.email)
    await page.getByLabel('Name').fill(person.name)
    await page.getByLabel('Password').fill(person.password)
    await button('Make the account').click()
    await sentence('There is no project yet.')
    await page.getByText('landfall init').waitFor()
    shop = await Shop.signIn(house.manager.url, house.directory)
  })

  it('shows a project, its release and its deployments as they come, without a reload', async () => {
    await shop.open()
    await go('')
    await page.getByText('No release yet').waitFor()
    let loads = 0
    page.on('load', () => loads++)
    await shop.release('1.0.0', '0s')
    await page.getByText('No deployment yet').waitFor()
    await Promise.all([shop.deploy('northwind', 'early'), shop.deploy('contoso', 'late')])
    for (const name of ['northwind', 'contoso']) {
      await row(name).getByText('1.0.0', { exact: true }).waitFor()
      await row(name).getByText('Healthy').waitFor()
    }
    await sentence('All 2 deployments are healthy')
    expect(loads).toBe(0)
    expect(await house.violations(page)).toEqual([])
  })

  it('pauses and resumes a rollout by keyboard', async () => {
    users = new Users(await Promise.all(['northwind', 'contoso'].map((name) => shop.address(name))))
    rollout = await shop.release('1.1.0', '1h')
    await page.getByRole('link', { name: '1.1.0 to stable' }).click()
    await page.waitForURL(`**/rollouts/${rollout}`)
    await page.locator('.member', { hasText: 'northwind' }).getByText('On its way').waitFor()
    for (const [verb, after] of [
      ['Pause', /paused/i],
      ['Resume', /^1\.1\.0 to stable: Wave 1 of 2/],
    ] as const) {
      await button(verb).waitFor()
      await tabTo(page, verb)
      await page.keyboard.press('Enter')
      await page.getByRole('dialog').waitFor()
      await tabTo(page, `${verb} the rollout`)
      await page.keyboard.press('Enter')
      await sentence(after)
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
    await button('Pause').waitFor()
    expect((await shop.client.getRollout({ params: { project, rollout } })).phase).toBe('progressing')
  })

  it('explains on its page what a deployment waits for, and takes the answer', async () => {
    await go('/deployments/northwind')
    const traffic = page.getByRole('region', { name: 'api' })
    await traffic.getByText('Paused', { exact: true }).waitFor()
    await sentence('northwind is on its way to the newest target')
    const check = page.locator('.checks li', { hasText: 'Paused at 50% until a person resumes' })
    await check.getByText('paused-step').first().waitFor()
    await traffic.locator('figcaption', { hasText: 'Error rate' }).waitFor()
    expect(await house.violations(page)).toEqual([])
    await button('Resume').click()
    await button('Resume this deployment').click()
    await sentence('northwind runs 1.1.0')
  })

  it('promotes past a wait of an hour, and to the end on a narrow screen', async () => {
    await go(`/rollouts/${rollout}`)
    await page.locator('.member', { hasText: 'northwind' }).getByText('Succeeded').waitFor()
    await button('Promote').click()
    await button('Promote to the wave late').click()
    await page.locator('.member', { hasText: 'contoso' }).getByText('On its way').waitFor()
    expect(await house.violations(page)).toEqual([])

    await resize(390)
    await button('Promote fully').click()
    await button('Promote fully to 1 deployment').click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await house.violations(page, 390)).toEqual([])
    // The deployment keeps to its own steps, so that the pause is ended there.
    await page.getByRole('link', { name: 'contoso' }).click()
    await page.getByRole('region', { name: 'api' }).getByText('Paused', { exact: true }).waitFor()
    await button('More')
      .or(page.getByRole('button', { name: 'More for contoso' }))
      .first()
      .click()
    await page.getByRole('menuitem', { name: 'Promote fully…' }).click()
    await button('Promote fully on 1 deployment').click()
    await sentence('contoso runs 1.1.0')
    await go(`/rollouts/${rollout}`)
    await sentence('Complete: 2 of 2 deployments')
    const wide = await page.locator('body').evaluate((body) => body.scrollWidth)
    expect(wide).toBeLessThanOrEqual(390)
    await resize(1440)
    await users?.stop()
    expect(users?.failed).toBe(0)
  })

  it('runs a command, with its output while it runs and its result', async () => {
    await go('/deployments/northwind/commands')
    await button('Send count').click()
    await page.getByLabel('to', { exact: true }).fill('3')
    await page.getByRole('dialog').getByRole('button', { name: 'Send count' }).click()
    const result = page.locator('.card', { hasText: 'Result of count' })
    await result.getByRole('region', { name: 'Output' }).getByText('one').waitFor()
    await result.getByText('Running').waitFor()
    await fetch(new URL('/go-on', await shop.address('northwind')))
    await result.getByText('Succeeded').waitFor()
    await result.getByText('"counted": 3').waitFor()
    expect(await result.getByRole('region', { name: 'Output' }).innerText()).toContain('one\n2\n3')
    expect(await house.violations(page)).toEqual([])
  })

  it('changes the config, and shows a secret to nobody', async () => {
    await go('/deployments/contoso/config')
    await button('Replace mail-key').click()
    await page.getByLabel('New value').fill('the second key of contoso')
    await page.getByRole('dialog').getByRole('button', { name: 'Replace mail-key' }).click()
    await page.locator('.config-line', { hasText: 'mail-key' }).getByText('version 2').waitFor()
    await button('Change greeting').click()
    await page.getByRole('textbox', { name: 'greeting' }).fill('Ahoy')
    await button('Set greeting').click()
    await page.locator('.config-line', { hasText: 'greeting' }).getByText('Ahoy').waitFor()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    for (const part of ['/config', '', '/audit', '/logs']) {
      await go(`/deployments/contoso${part}`)
      const html = await page.content()
      expect(html).not.toMatch(/the (first|second) key/)
    }
  })

  it('recomputes the audit chain', async () => {
    await go('/deployments/northwind/audit')
    await button('Verify the chain').click()
    await page.getByText(/The chain is whole: \d+ entries follow/).waitFor()
    await row('deployment.promoted').first().waitFor()
    expect(await house.violations(page)).toEqual([])
  })

  it('offers a viewer nothing that would be refused, and refuses it', async () => {
    const { user, link } = await shop.client.inviteUser({ body: { email: 'vera@example.com', name: 'Vera' } })
    await shop.client.setMember({ params: { project, user: user.id }, body: { role: 'viewer' } })
    const viewer = await house.visitor()
    await viewer.goto(link)
    await viewer.getByLabel('Name').fill('Vera')
    await viewer.getByLabel('Password').fill('another long password')
    await button('Make the account', viewer).click()
    // Who sees one project goes straight to it.
    await viewer.waitForURL(`**/p/${project}`)
    await viewer.locator('tbody tr', { hasText: 'northwind' }).waitFor()
    for (const path of [`rollouts/${rollout}`, 'deployments/northwind', 'deployments/contoso']) {
      await viewer.goto(`/p/${project}/${path}`)
      await settled(viewer)
      const names = await viewer.locator('main').getByRole('button').allInnerTexts()
      expect(names.filter((name) => /^(Pause|Resume|Promote|Abort|Retry|More)/.test(name))).toEqual([])
    }
    for (const [path, there, action] of [
      ['commands', 'count', 'Send'],
      ['config', 'mail-key', 'Replace'],
    ] as const) {
      await viewer.goto(`/p/${project}/deployments/northwind/${path}`)
      await viewer.locator('main').getByText(there, { exact: true }).first().waitFor()
      expect(await viewer.getByRole('button', { name: action }).count()).toBe(0)
    }
    const refused = await viewer.request.post(`/api/projects/${project}/deployments/northwind/controls`, {
      data: { kind: 'abort' },
      headers: { origin: house.manager.url },
    })
    expect(refused.status()).toBe(403)
    await viewer.context().close()
  })

  it('signs out, and lets nobody back in', async () => {
    await go('')
    await button(person.name).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await sentence('Sign in to see who runs what.')
    expect(await house.violations(page)).toEqual([])
    await page.goto(`/p/${project}/settings`)
    await page.waitForURL('**/sign-in?to=*')
    await sentence('Sign in to see who runs what.')
  })

  it('never failed, and broke no rule of its own content policy', () => {
    expect(house.faults).toEqual([])
  })
})

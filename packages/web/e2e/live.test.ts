import { expect, test } from 'vitest'
import { settled, withStage } from './stage.ts'

withStage('live', (stage) => {
  test('a change appears by itself, in place', async () => {
    const page = await stage.open('/p/acme-invoices')
    const row = page.locator('tbody tr', { hasText: 'northwind' })
    await row.getByText('Healthy').waitFor()
    const item = stage.fixture.world.deployments[0]
    if (!item) throw new Error('the world is empty')
    item.health = 'failed'
    item.reason = { ...item.reason, message: 'api does not answer.' }
    stage.fixture.emit('deployment', item.id)
    await row.getByText('api does not answer.').waitFor()
    await row.getByText('Failed').waitFor()
  })

  test('a list in use does not jump: new rows wait behind a button', async () => {
    const page = await stage.open('/p/acme-invoices/rollouts')
    await page.locator('tbody tr').first().hover()
    const { rollouts } = stage.fixture.world
    const first = rollouts[0]
    if (!first) throw new Error('the world is empty')
    rollouts.unshift({ ...first, id: 'rol_newest00', version: '1.4.1' })
    stage.fixture.emit('rollout', 'rol_newest00')
    await page.getByRole('button', { name: '1 new: show' }).click()
    await page.locator('tbody tr').first().getByText('1.4.1').waitFor()
    rollouts.shift()
  })

  test('a lost connection is said, and heals by itself with what was missed', async () => {
    const page = await stage.open('/p/acme-invoices')
    await page.locator('.side .live.live').getByText('Live').waitFor()
    stage.fixture.down(true)
    await page.getByText('The manager does not answer.').waitFor()
    await page.locator('.side').getByText('Connection lost').waitFor()
    const item = stage.fixture.world.deployments[1]
    if (!item) throw new Error('the world is empty')
    item.reason = { ...item.reason, message: 'Something happened meanwhile.' }
    stage.fixture.down(false)
    await page.getByText('Something happened meanwhile.').waitFor({ timeout: 30_000 })
    await page.getByText('The manager does not answer.').waitFor({ state: 'detached' })
  })

  test('an ended session leads to the sign-in page, and back', async () => {
    const page = await stage.open('/p/acme-invoices/releases?x=1')
    await page.context().clearCookies()
    await page.reload()
    await page.waitForURL('**/sign-in?to=*')
    await page.getByLabel('Email').fill('mira@acme.example')
    await page.getByLabel('Password').fill('wrong')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByText('The email or the password is wrong.').waitFor()
    expect(await page.getByLabel('Email').inputValue()).toBe('mira@acme.example')
    await page.getByLabel('Password').fill('correct horse battery')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.waitForURL('**/p/acme-invoices/releases*')
    await settled(page)
  })

  test('a refused single sign-on says what happened, the code and where that is explained', async () => {
    const page = await stage.open('/sign-in?problem=E_SSO_UNKNOWN')
    const alert = page.getByRole('alert')
    await alert.getByText('nobody has invited your address').waitFor()
    expect(await alert.getByRole('link', { name: 'E_SSO_UNKNOWN' }).getAttribute('href')).toBe(
      '/docs/errors/E_SSO_UNKNOWN',
    )
  })

  test('a sign-in link leads nowhere else', async () => {
    const page = await stage.open('/sign-in?to=//evil.example/p')
    await page.getByLabel('Email').fill('mira@acme.example')
    await page.getByLabel('Password').fill('correct horse battery')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.waitForURL('**/p/acme-invoices')
    expect(new URL(page.url()).origin).toBe(stage.fixture.url)
  })
})

withStage(
  'a large fleet',
  (stage) => {
    test('of 3000 deployments only the rows near the view are drawn, and the last can be reached', async () => {
      const page = await stage.open('/p/acme-invoices')
      expect(await page.locator('tbody tr').count()).toBeLessThan(80)
      await expect
        .poll(
          async () => {
            await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight))
            return page.locator('tbody tr', { hasText: 'customer-2999' }).count()
          },
          { timeout: 30_000 },
        )
        .toBe(1)
      expect(await page.locator('tbody tr').count()).toBeLessThan(80)
    })
  },
  { deployments: 3000 },
)

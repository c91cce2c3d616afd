import { expect, test } from 'vitest'
import { seriousViolations } from './axe.ts'
import { digestOf } from './fixture/world.ts'
import { portalLink } from './pages.ts'
import { settled, tabTo, withStage } from './stage.ts'

withStage('the portal', (stage) => {
  const pageOf = (name: string) => {
    const found = stage.fixture.world.customers[name]
    if (!found) throw new Error(`the world has no ${name}`)
    return found
  }

  test('the token leaves the address at once, stays in this tab, and no session of the vendor’s is used', async () => {
    const page = await stage.open(portalLink('umbra'))
    expect(new URL(page.url()).hash).toBe('')
    expect(await page.evaluate(() => history.length)).toBeLessThanOrEqual(2)
    const asked = page.waitForRequest((request) => /\/api\/.*\/portal$/.test(request.url()))
    await page.reload()
    const headers = await (await asked).allHeaders()
    expect(headers.authorization).toBe('Bearer lf_deployer_umbra')
    expect(headers.cookie).toBeUndefined()
    await page.getByText('Nothing. When Acme Invoices needs an answer').waitFor()
    expect(await page.locator('nav').count()).toBe(0)
    expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain('lf_deployer')
    const other = await page.context().newPage()
    await other.goto('/portal')
    await other.getByText('This page opens with the link that your vendor gave you.').waitFor()
  })

  test('another link in the same tab shows that deployment', async () => {
    const page = await stage.open(portalLink('umbra'))
    await page.goto(portalLink('sterling'))
    await page.getByText('Sundays at 04:00, for 4 hours').waitFor()
    expect(new URL(page.url()).hash).toBe('')
  })

  test('approves an update by keyboard, told before what that does', async () => {
    const page = await stage.open(portalLink('gringotts'))
    await tabTo(page, 'Approve 1.4.0…')
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog')
    await dialog.waitFor()
    expect(await dialog.innerText()).toContain('api may write to exports')
    expect(await dialog.innerText()).toContain('1.4.0 begins at once, step by step')
    expect(await seriousViolations(page)).toEqual([])
    await tabTo(page, 'Message')
    await page.keyboard.type('for Sunday')
    await tabTo(page, 'Approve 1.4.0')
    await page.keyboard.press('Enter')
    await page.locator('.sentence', { hasText: '1.4.0, which you approved, begins now' }).waitFor()
    expect(pageOf('gringotts').portal.answers.at(-1)).toMatchObject({
      target: digestOf('target 1.4.0'),
      status: 'pass',
      message: 'for Sunday',
    })
  })

  test('an approval of what is not asked any more answers nothing, shows what is asked now, and keeps the message', async () => {
    const customer = pageOf('gringotts')
    const asked = {
      kind: 'update' as const,
      gate: 'update',
      target: digestOf('target 1.4.0'),
      version: '1.4.0',
      message: 'Acme Invoices wants to update from 1.3.2 to 1.4.0.',
      since: new Date().toISOString(),
      difference: [{ area: 'stack', change: 'api: code changed' }],
      answerable: true,
    }
    customer.portal.requests = [asked]
    customer.next = {
      ...asked,
      target: digestOf('target 1.4.1'),
      version: '1.4.1',
      message: 'Acme Invoices wants to update from 1.3.2 to 1.4.1.',
      difference: [{ area: 'permissions', change: 'api may delete uploads' }],
    }
    const before = customer.portal.answers.length
    const page = await stage.open(portalLink('gringotts'))
    await page.getByRole('button', { name: 'Approve 1.4.0…' }).click()
    await page.getByLabel('Message').fill('go')
    await page.getByRole('button', { name: 'Approve 1.4.0', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Meanwhile something else is asked').waitFor()
    expect(customer.portal.answers).toHaveLength(before)
    expect(await dialog.innerText()).toContain('api may delete uploads')
    expect(await page.getByLabel('Message').inputValue()).toBe('go')
    expect(await seriousViolations(page)).toEqual([])
    await page.getByRole('button', { name: 'Approve 1.4.1', exact: true }).click()
    await dialog.waitFor({ state: 'detached' })
    expect(customer.portal.answers.at(-1)).toMatchObject({ target: digestOf('target 1.4.1'), message: 'go' })
  })

  test('refuses with a message, told that it can still be approved', async () => {
    const customer = pageOf('gringotts')
    customer.portal.requests = [
      {
        kind: 'update',
        gate: 'update',
        target: digestOf('target 1.4.2'),
        version: '1.4.2',
        message: 'Acme Invoices wants to update from 1.3.2 to 1.4.2.',
        since: new Date().toISOString(),
        difference: [],
        answerable: true,
      },
    ]
    const page = await stage.open(portalLink('gringotts'))
    await page.getByRole('button', { name: 'Refuse 1.4.2…' }).click()
    await page.getByRole('dialog').getByText('you can still approve it').waitFor()
    await page.getByLabel('Message').fill('not before the audit')
    await page.getByRole('button', { name: 'Refuse 1.4.2', exact: true }).click()
    await page.locator('.sentence', { hasText: 'you refused 1.4.2' }).waitFor()
    expect(customer.portal.answers.at(-1)).toMatchObject({ status: 'fail', message: 'not before the audit' })
  })

  test('where approvals count at the agent alone, none is offered, and the command is', async () => {
    const page = await stage.open(portalLink('nakatomi'))
    expect(await page.getByRole('button', { name: /Approve/ }).count()).toBe(0)
    const command = `landfall agent approve --target ${digestOf('target 1.4.0')}`
    expect(await page.locator('.request code', { hasText: command }).count()).toBe(1)
    const locked = page.getByRole('region', { name: 'Where an approval counts' })
    expect(await locked.innerText()).toContain('Set at the agent in your environment')
    expect(await locked.getByRole('button').count()).toBe(0)
  })

  test('sets a window by keyboard, in the viewer’s zone, with its openings in words', async () => {
    const page = await stage.open(portalLink('umbra'), { timezoneId: 'Europe/Berlin' })
    await tabTo(page, 'Add a window…')
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Sundays at 04:00, for 4 hours').waitFor()
    expect(await page.getByLabel('Time zone').inputValue()).toBe('Europe/Berlin')
    await tabTo(page, 'Saturday')
    await page.keyboard.press('Space')
    await tabTo(page, 'At')
    await page.keyboard.type('0230')
    await dialog.getByText('Saturdays and Sundays at 02:30, for 4 hours').waitFor()
    expect(await dialog.locator('.preview li').count()).toBe(4)
    expect(await dialog.locator('.preview').innerText()).toMatch(/that time does not exist, so it does not open/)
    expect(await seriousViolations(page)).toEqual([])
    await tabTo(page, 'Add the window')
    await page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'detached' })
    await page.getByText('Saturdays and Sundays at 02:30, for 4 hours').first().waitFor()
    const [window] = pageOf('umbra').portal.settings.windows
    expect(window).toMatchObject({ rrule: 'FREQ=WEEKLY;BYDAY=SA,SU', duration: '4h', timeZone: 'Europe/Berlin' })
    expect(window?.start).toMatch(/T02:30$/)
  })

  test('a rule of one’s own is read as it is typed; what is none cannot be set', async () => {
    const page = await stage.open(portalLink('umbra'), { timezoneId: 'Asia/Tokyo' })
    await page.getByRole('button', { name: 'Add a window…' }).click()
    await page.getByRole('button', { name: 'Write a rule instead' }).click()
    await page.getByLabel('Rule (RRULE)').fill('FREQ=SOMETIMES')
    await page.locator('.preview').getByText('Not a window yet').waitFor()
    const add = page.getByRole('button', { name: 'Add the window' })
    expect(await add.isDisabled()).toBe(true)
    await page.getByLabel('Rule (RRULE)').fill('FREQ=MONTHLY;BYDAY=-1SA')
    await page.locator('.preview').getByText('The clocks of Asia/Tokyo do not change.').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await add.click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(pageOf('umbra').portal.settings.windows.at(-1)?.rrule).toBe('FREQ=MONTHLY;BYDAY=-1SA')
  })

  test('takes the access back by keyboard, and gives it again', async () => {
    const page = await stage.open(portalLink('umbra'))
    await tabTo(page, 'Take the access back…')
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog')
    await dialog.waitFor()
    expect(await dialog.innerText()).toContain('goes on running as it is')
    expect(await seriousViolations(page)).toEqual([])
    await tabTo(page, 'Take the access back')
    await page.keyboard.press('Enter')
    await page.getByText('You took the access back.').waitFor()
    expect(pageOf('umbra').portal.settings.access).toBe('revoked')
    await page.getByRole('button', { name: 'Give access again…' }).first().click()
    await page.getByRole('button', { name: 'Give access again', exact: true }).click()
    await page.getByText('You took the access back.').waitFor({ state: 'detached' })
    expect(pageOf('umbra').portal.settings.access).toBe('granted')
  })

  test('pauses and resumes, and says where an approval counts before that is changed', async () => {
    const page = await stage.open(portalLink('weyland'))
    await page.getByRole('button', { name: 'Pause…' }).click()
    await page.getByRole('dialog').getByText('Nothing new begins').waitFor()
    await page.getByRole('button', { name: 'Pause updates' }).click()
    await page.getByRole('button', { name: 'Resume…' }).waitFor()
    expect(pageOf('weyland').portal.settings.updates).toBe('paused')
    await page.getByRole('button', { name: 'Change: Where an approval counts' }).click()
    const dialog = page.getByRole('dialog')
    expect(await dialog.innerText()).toContain('not even a manager in wrong hands')
    expect(await seriousViolations(page)).toEqual([])
    await dialog.getByText('At the agent alone').click()
    await page.getByRole('button', { name: 'Let approvals count at the agent alone' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect(pageOf('weyland').portal.settings.approvals).toBe('agent')
  })

  test('gives a secret, which is then not asked any more', async () => {
    const page = await stage.open(portalLink('aperture'))
    await page.getByRole('button', { name: 'Give stripe-key…' }).click()
    await page.getByRole('textbox', { name: 'stripe-key' }).fill('sk_live_1')
    await page.getByRole('button', { name: 'Give stripe-key', exact: true }).click()
    await page.getByRole('heading', { name: 'api needs the secret stripe-key' }).waitFor({ state: 'detached' })
  })

  test('the audit is verified, and saved whole', async () => {
    const page = await stage.open(portalLink('sterling'))
    await page.getByText('The chain is whole: 64 entries').waitFor()
    const saved = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Export as JSON' }).click()
    const download = await saved
    expect(download.suggestedFilename()).toMatch(/^audit-sterling-\d{4}-\d\d-\d\d\.json$/)
    const chunks: Buffer[] = []
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer)
    const file = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    expect(file).toMatchObject({ schema: 'landfall.dev/audit-export/v1', complete: true, deployment: 'sterling' })
    expect(file.entries.map(({ number }: { number: number }) => number)).toEqual(
      Array.from({ length: 64 }, (_, index) => index + 1),
    )
    expect(file.verification.checkpoints).toHaveLength(1)
    expect(file.recomputed).toEqual({ entries: 64, broken: null })
    await page.getByText('Recomputed in this browser: 64 entries, unbroken.').waitFor()
  })

  test('a manager that does not answer is said, and what is shown stays', async () => {
    const page = await stage.open(portalLink('sterling'))
    stage.fixture.down(true)
    await page.getByText('manager does not answer.').waitFor({ timeout: 40_000 })
    await page.getByText('Sundays at 04:00, for 4 hours').waitFor()
    stage.fixture.down(false)
    await page.getByText('manager does not answer.').waitFor({ state: 'detached', timeout: 30_000 })
  })

  test('leaves only after the name was typed; the ended link then says so', async () => {
    const page = await stage.open(portalLink('umbra'))
    await page.getByRole('button', { name: 'Leave…' }).click()
    const confirm = page.getByRole('button', { name: 'Leave, and delete umbra' })
    expect(await confirm.isDisabled()).toBe(true)
    expect(await seriousViolations(page)).toEqual([])
    await page.getByLabel('Type umbra to go on').fill('umbra')
    await confirm.click()
    await page.locator('.sentence', { hasText: 'You are leaving' }).waitFor()
    expect(await page.getByRole('button', { name: 'You are leaving' }).isDisabled()).toBe(true)
  })

  test('a link that ended says whom to ask', async () => {
    const page = await stage.open(portalLink('expired'))
    await settled(page)
    await page.getByText('Ask whoever runs acme-invoices for a new link to expired.').waitFor()
    // Nor is the manager asked again and again for what has ended.
    const again = await page.waitForRequest(/\/api\//, { timeout: 7_000 }).catch(() => null)
    expect(again).toBeNull()
    expect(await page.getByRole('link', { name: 'E_TOKEN_EXPIRED' }).count()).toBe(1)
  })

  test('the fixture said only what the contract knows', () => {
    expect(stage.fixture.faults).toEqual([])
  })
})

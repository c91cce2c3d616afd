import { expect, test } from 'vitest'
import { seriousViolations } from './axe.ts'
import { settled, withStage } from './stage.ts'

withStage('three models', (stage) => {
  const deployment = (name: string) => `/p/acme-invoices/deployments/${name}`

  test('the fleet shows each model in words, and can be narrowed to one', async () => {
    const page = await stage.open('/p/acme-invoices')
    await page.locator('tbody tr', { hasText: 'initech' }).getByText('airgapped').waitFor()
    await page.getByRole('button', { name: /^Model/ }).click()
    await page.getByRole('option', { name: 'Pull' }).click()
    await page.waitForURL('**model=pull*')
    await page.locator('tbody tr', { hasText: 'northwind' }).waitFor({ state: 'detached' })
    await page.locator('tbody tr', { hasText: 'gringotts' }).waitFor()
  })

  test('an agent is set up again only after its end was said; the document is shown once and saved', async () => {
    const page = await stage.open(deployment('gringotts'))
    await page.getByText('4c9f 21aa e03b 77d1').waitFor()
    await page.getByRole('button', { name: 'Set up again…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('its key is refused from now on').waitFor()
    await page.getByRole('button', { name: 'Replace the agent of gringotts' }).click()
    await dialog.getByText('landfall agent run --data /var/lib/landfall-agent --setup gringotts.setup.json').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    const saved = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Save gringotts.setup.json' }).click()
    const chunks: Buffer[] = []
    for await (const chunk of await (await saved).createReadStream()) chunks.push(chunk as Buffer)
    const setup = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    expect(setup).toMatchObject({ schema: 'landfall.dev/agent-setup/v1', deployment: { name: 'gringotts' } })
    await page.getByRole('button', { name: 'I have kept it' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect(await page.content()).not.toContain(setup.enrolment.token)
  })

  test('a site without an agent is offered the first setup', async () => {
    const page = await stage.open(deployment('initech'))
    await page.getByRole('button', { name: 'Make the agent’s setup…' }).click()
    await page.getByRole('button', { name: 'Make the setup', exact: true }).click()
    await page.getByText('landfall agent init --setup initech.setup.json').waitFor()
    await page.getByText('it enrols the agent here.').waitFor()
  })

  test('an airgapped site says how old its news are, teaches the road, and takes an export in', async () => {
    const page = await stage.open(deployment('nakatomi'))
    await page.getByText('landfall bundle create 1.4.0 --deployment nakatomi').waitFor()
    expect(await page.locator('.card', { hasText: 'By bundle' }).first().innerText()).toMatch(
      /Last reported 9 days ago by export.*\n?.*A bundle for 1\.4\.0 was made/,
    )
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'nakatomi-8.export', mimeType: 'application/octet-stream', buffer: Buffer.from('x') })
    await page.getByText('Export 8 of nakatomi is taken in.').waitFor()
    await page.getByText('receipts for 1.4.0').waitFor()
    expect(await seriousViolations(page)).toEqual([])
  })

  test('what the customer said is read, not changed; a link for them is made and shown once', async () => {
    const page = await stage.open(deployment('sterling'))
    const card = page.locator('section.card', { hasText: 'the customer’s to say' })
    await card.getByText('Sundays at 04:00, for 4 hours').waitFor()
    expect(await card.getByRole('button').allInnerTexts()).toEqual(['Make a portal link…'])
    await page.getByRole('button', { name: 'Make a portal link…' }).click()
    await page.getByRole('button', { name: 'Make the link' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('/portal#token=lf_deployer_sterling').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await page.getByRole('button', { name: 'I have kept it' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect(await page.content()).not.toContain('lf_deployer_sterling')
  })

  test('a rollout says who does not count and why, each reason with its page of the docs', async () => {
    const page = await stage.open('/p/acme-invoices/rollouts/rol_4h2k9d1x')
    const card = page.locator('section.card', { hasText: 'Not counted' }).first()
    expect(await card.innerText()).toContain('1 deployment waits for its customer’s approval')
    expect(await card.getByRole('link', { name: 'by-bundle' }).getAttribute('href')).toBe('/docs/reasons#by-bundle')
    await card.getByRole('link', { name: 'gringotts' }).click()
    await page.waitForURL('**/deployments/gringotts')
  })

  test('traces: only those with errors, and one of them span by span', async () => {
    const page = await stage.open(`${deployment('hooli')}/traces`)
    const before = await page.locator('tbody tr').count()
    await page.getByText('Only with errors').click()
    await page.waitForURL('**errors=true*')
    await expect.poll(() => page.locator('tbody tr').count()).toBeLessThan(before)
    await page.locator('tbody tr').first().getByRole('link').click()
    await page.locator('.spans').getByText('kv get index').waitFor()
    await page.getByText('Logged in it').waitFor()
    expect(page.url()).toContain('errors=true')
    await settled(page)
  })

  test('a worker’s own metric is chosen by name, in the address', async () => {
    const page = await stage.open(`${deployment('hooli')}/metrics`)
    await page.getByRole('button', { name: /Requests, errors and latency/ }).click()
    await page.getByRole('option', { name: 'invoices.made' }).click()
    await page.waitForURL('**metric=invoices.made*')
    await page.getByText('invoices.made (per second) way=card').waitFor()
  })

  test('the fixture said only what the contract knows', () => {
    expect(stage.fixture.faults).toEqual([])
  })
})

import { createClient, type Portal } from '@landfall/contract'
import { connected, site } from '../customers.ts'
import { followRollout } from '../follow-rollout.ts'
import { project } from '../vendor.ts'
import { bringBack, bringIn, makeBundle, watchSite } from './carried.ts'
import { rest, until } from './rest.ts'
import type { Stage } from './stage.ts'

const holder = 'globex'

/**
 * The customers hold and let go: one in the portal, for a pull deployment; one at the site, where an approval counts only when it is given
 * there. Each approval names the digest of what was shown.
 */
export async function heldRelease(stage: Stage, version: string): Promise<void> {
  const { vendor, narrator, claims, initech, traffic } = stage
  const params = { project, deployment: holder }
  narrator.command(`landfall portal link ${holder}`)
  const link = await vendor.client.createPortalLink({ params, body: { name: 'the admin of globex', days: 1 } })
  const customer = createClient({ url: vendor.url, token: link.token })
  narrator.command('landfall portal settings --updates approval                   (the customer, or in the portal)')
  await customer.changeCustomerSettings({ params, body: { updates: 'approval' } })
  narrator.command('landfall agent settings --updates approval --approvals agent  (at initech)')
  await initech.landfall(['settings', '--updates', 'approval', '--approvals', 'agent'])

  const from = Date.now()
  narrator.command(`landfall release --version ${version} --watch`)
  const following = followRollout(vendor.client, await vendor.release(version), narrator, 120_000)
  let page: Portal | null = null
  await until(async () => {
    page = await customer.getPortal({ params })
    return page.requests.some((one) => one.kind === 'update' && one.version === version)
  }, 60_000)
  const asked = (page as Portal | null)?.requests.find((one) => one.kind === 'update')
  const { rollout } = await following
  claims.check(
    `${holder} holds ${version} until its customer approves; the others go on`,
    rollout.phase === 'complete' && rollout.members.find((one) => one.name === holder)?.status === 'excluded',
    rollout.sentence,
  )
  const early = traffic.since(from).filter((answer) => answer.target === holder && answer.version === version)
  claims.check(`No request of ${holder} was answered by ${version} before`, early.length === 0, `${early.length}`)
  const wrong = await customer
    .answerRequest({ params, body: { target: `sha256:${'0'.repeat(64)}`, status: 'pass' } })
    .then(
      () => 'it was taken',
      (error: { code?: string }) => error.code ?? String(error),
    )
  claims.check('An approval for another digest is refused', wrong === 'E_TARGET_CHANGED', wrong)
  narrator.say(`the portal shows what changes: ${asked?.difference.map((one) => one.change).join('; ') || 'nothing'}`)
  narrator.command('landfall portal approve --target DIGEST')
  await customer.answerRequest({ params, body: { target: asked?.target ?? '', status: 'pass' } })
  const let_in = await rest(
    stage,
    connected.map(({ name }) => name),
    version,
    90_000,
  )
  claims.check(`Approved, ${holder} runs ${version} too`, let_in.includes(holder), let_in.join(', '))

  await bringIn(stage, await makeBundle(stage, version))
  const waiting = await until(async () => (await initech.status()).waits.length > 0, 20_000, 500)
  const { waits } = await initech.status()
  claims.check('The site waits for an approval given there', waiting, waits[0]?.message ?? 'nothing waits')
  narrator.command('landfall agent approve --target DIGEST             (at initech)')
  await initech.landfall(['approve', '--target', waits[0]?.target ?? ''])
  await watchSite(stage, 90_000)
  await bringBack(stage, version)
  const there = await rest(stage, [site], version, 5_000)
  claims.check(`Approved at the site, ${version} runs there`, there.length === 1, site)
}

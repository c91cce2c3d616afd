import { join } from 'node:path'
import { connected, customers, site } from '../customers.ts'
import { project } from '../vendor.ts'
import { bringBack, bringIn, makeBundle, watchSite } from './carried.ts'
import { requireAll, rest, until } from './rest.ts'
import type { Stage } from './stage.ts'

const perSecond = 40

/** Four customers appear in three models and get 1.0.0; resolves with live traffic on all of them. */
export async function arrive(stage: Stage): Promise<void> {
  const { vendor, narrator, claims } = stage
  narrator.command('landfall release --version 1.0.0')
  await vendor.release('1.0.0')
  for (const { name, group, model } of customers) {
    narrator.command(
      `landfall deployments create ${name} --group ${group}${model === 'push' ? '' : ` --model ${model}`}`,
    )
    await vendor.client.createDeployment({ params: { project }, body: { name, group, platform: 'local', model } })
  }
  await enrol(stage, 'globex')
  const names = connected.map(({ name }) => name)
  const running = await rest(stage, names, '1.0.0', 60_000)
  claims.check('Push and pull deployments run 1.0.0', running.length === names.length, running.join(', '))
  await requireAll(stage, names, running, '1.0.0')
  await enrol(stage, 'initech')
  await bringBack(stage, 'enrolment')
  await bringIn(stage, await makeBundle(stage, '1.0.0'))
  await watchSite(stage, 60_000)
  await bringBack(stage, '1.0.0')
  const reported = await rest(stage, [site], '1.0.0', 5_000)
  claims.check('The airgapped one runs 1.0.0, and the dashboard knows it from its export', reported.length === 1, site)
  await traffic(stage)
}

/** Setup is made by the vendor, carried to the customer, read there, and used once. */
async function enrol(stage: Stage, name: 'globex' | 'initech'): Promise<void> {
  const { vendor, narrator } = stage
  const customer = stage[name]
  const file = join(customer.directory, 'in', 'setup.json')
  narrator.command(`landfall deployments agent-setup ${name} --out setup.json`)
  await vendor.landfall(['deployments', 'agent-setup', name, '--out', file])
  narrator.command(`landfall agent init --setup setup.json && landfall agent run     (at ${name})`)
  await customer.landfall(['init', '--setup', file])
  await customer.start()
}

async function traffic({ vendor, initech, narrator, claims, traffic: live }: Stage): Promise<void> {
  const reachable = await Promise.all(
    connected.map(async ({ name }) => {
      const detail = await vendor.client.getDeployment({ params: { project, deployment: name } })
      return { name, url: detail.workers.find((worker) => worker.url)?.url ?? '' }
    }),
  )
  const { state } = await initech.status()
  const url = Object.values(state?.workers ?? {}).find((worker) => worker.url)?.url ?? ''
  for (const target of [...reachable, { name: site, url }]) narrator.done(`${target.name} answers at ${target.url}`)
  live.send(reachable, perSecond)
  live.send([{ name: site, url }], perSecond, initech.island ?? undefined)
  const answering = () =>
    customers.filter(
      ({ name }) =>
        live.answers.filter((one) => one.target === name && one.status < 300 && one.version === '1.0.0').length >= 10,
    )
  await until(() => answering().length === customers.length, 20_000)
  claims.check(
    'Each of them answers requests with 1.0.0',
    answering().length === customers.length,
    `${live.answers.length} requests answered`,
  )
  narrator.say(`Live traffic from now on: ${perSecond * customers.length} requests a second over four customers.`)
}

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { customers, site } from '../customers.ts'
import { project } from '../vendor.ts'
import { bringBack, bringIn } from './carried.ts'
import { until } from './rest.ts'
import type { Stage } from './stage.ts'

/** Everybody leaves: what was made is taken away in each environment, at the site by an order in a bundle. */
export async function leave(stage: Stage): Promise<void> {
  const { vendor, narrator, claims, initech, globex, traffic } = stage
  await traffic.stop()
  for (const { name } of customers) {
    narrator.command(`landfall destroy ${name} --yes`)
    await vendor.client.destroyDeployment({ params: { project, deployment: name } })
  }
  const out = join(vendor.directory, 'out', 'leave.bundle')
  narrator.command(`landfall bundle create --deployment ${site}`)
  await vendor.landfall(['bundle', 'create', '--deployment', site, '--no-agent', '--out', out])
  await bringIn(stage, out)
  await until(async () => (await initech.status()).state?.phase === 'deleted', 60_000, 500)
  await bringBack(stage, 'leave')
  const gone = async () => (await vendor.client.listDeployments({ params: { project } })).items.length === 0
  const all = await until(gone, 60_000)
  claims.check('Everything that was made is taken away in all three models', all, all ? 'none is left' : 'some are')
  for (const { name, environment } of [globex, initech]) {
    const left = existsSync(environment) ? readdirSync(environment) : []
    claims.check(`Nothing is left of ${name}’s environment`, left.length === 0, left.join(', ') || environment)
  }
}

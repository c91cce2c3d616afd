import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentStatus } from '@landfall/agent'
import { site } from '../customers.ts'
import { carry } from '../site.ts'
import type { Stage } from './stage.ts'

/** The vendor writes a bundle for the site into its outbox; answers the file. */
export async function makeBundle({ vendor, narrator }: Stage, version: string): Promise<string> {
  const out = join(vendor.directory, 'out', `${vendor.project}-${version}.bundle`)
  narrator.command(`landfall bundle create ${version} --deployment ${site} --out ${vendor.project}-${version}.bundle`)
  await vendor.landfall(['bundle', 'create', version, '--deployment', site, '--out', out])
  return out
}

/** The file goes to the site, and the agent there takes it in. */
export async function bringIn({ initech, narrator }: Stage, file: string): Promise<void> {
  const there = await carry(file, join(initech.directory, 'in'))
  narrator.say('the file is carried into the site')
  narrator.command('landfall agent import FILE                         (at the site, without network)')
  await initech.landfall(['import', there])
}

/** What the site hands back goes to the vendor, and into the same dashboard. */
export async function bringBack({ initech, vendor, narrator }: Stage, name: string): Promise<void> {
  const file = join(initech.directory, 'out', `${name}.export`)
  narrator.command('landfall agent export --out FILE                   (at the site)')
  await initech.landfall(['export', '--out', file])
  const here = await carry(file, join(vendor.directory, 'in'))
  narrator.command('landfall bundle import FILE                        (at the vendor)')
  await vendor.landfall(['bundle', 'import', here])
}

/** Watches the site from within until its deployment rests, having acted on the newest order; at most `deadlineMs`. */
export async function watchSite({ initech, narrator }: Stage, deadlineMs: number): Promise<AgentStatus> {
  const end = Date.now() + deadlineMs
  for (;;) {
    const status = await initech.status()
    const { state, order } = status
    narrator.live(`${initech.name}: ${state?.reason.message ?? 'starting'}`)
    const answered = order !== null && state?.generation === order.generation && !state.candidate
    if (answered && state.phase === 'running') return status
    if (Date.now() > end) throw new Error(`${initech.name} did not come to rest: ${JSON.stringify(state?.reason)}`)
    await sleep(400)
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { ManagersWorld } from '../../harness/managers-world.ts'
import type { StandbyPair } from '../../harness/standby-pair.ts'
import { between, type Run } from './scenario.ts'

/**
 * The primary loses power at some moment of a rollout, and its synchronous standby takes its place: what was acknowledged is there, and no
 * epoch is handed out twice over both servers. Answers what does not hold.
 */
export async function promoteStandby(run: Omit<Run, 'version'>, pair: StandbyPair): Promise<string[]> {
  const { world, chance, say } = run
  await world.release('1.1.0')
  const after = between(chance, 500, 9_000)
  await sleep(after)
  pair.killPrimary()
  world.proxy.shut()
  const { claims, links } = world.proxy.acknowledged
  const before = { claims: [...claims], links: [...links] }
  const down = between(chance, 0, 30_000)
  await sleep(down)
  await pair.promote()
  world.database = pair.standby
  say(`the primary is killed ${after} ms after the release, its standby promoted ${down} ms later`)
  // Read before any manager is let in: this is what the standby had.
  const lost = await lostOn(world, before)
  world.proxy.pointTo(pair.standby)
  world.proxy.open()
  await world.arrived('1.1.0')
  await world.release('1.2.0')
  await world.arrived('1.2.0')
  const handed = claims.map(({ deployment, epoch }) => `${deployment} ${epoch}`)
  const twice = handed.filter((one, index) => handed.indexOf(one) !== index)
  const none = handed.length > before.claims.length ? [] : ['nobody has claimed since']
  return [...lost, ...none, ...twice.map((one) => `handed out twice: ${one}`)]
}

/** What was acknowledged and is not there. */
async function lostOn(
  { witness }: ManagersWorld,
  before: { claims: { deployment: string; epoch: number }[]; links: string[] },
): Promise<string[]> {
  const rows = await witness.query<{ hash: string }>('select hash from audit_entries')
  const kept = new Set(rows.map(({ hash }) => hash))
  const links = before.links.filter((link) => !kept.has(link)).map((link) => `the entry ${link} is lost`)
  const epochs = await witness.query<{ id: string; epoch: string }>('select id, lease_epoch as epoch from deployments')
  const claims = epochs.flatMap(({ id, epoch }) => {
    const given = before.claims.filter(({ deployment }) => deployment === id).map((claim) => claim.epoch)
    return Number(epoch) >= Math.max(0, ...given) ? [] : [`${id} is at epoch ${epoch}, ${Math.max(...given)} was given`]
  })
  return [...links, ...claims]
}

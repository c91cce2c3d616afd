import { type AuditLink, genesis, hashOf } from '@landfall/contract'
import { AgentAudit } from '../../packages/agent/src/audit/agent-audit.ts'
import { access, answer, exportOf, hold, openWindows } from './act.ts'
import { openMemory } from './agent-memory.ts'
import { type Channel, channels } from './channels.ts'
import { atOnce, type World } from './world.ts'

/**
 * Nothing goes wrong any more, and people want to get there: they grant, resume, approve what waits, apply setups, carry bundles; the
 * vendor brings out one last good release. Called again and again.
 */
export function heal(world: World, round: number): void {
  const { db, scheduler, truth } = world
  if (round === 0) {
    Object.assign(world.databaseTroubles, { away: 0, mute: 0 })
    world.networks.clear()
    world.deafUntil = 0
    db.freeze = null
    world.watch.calm = true
    world.watch.promptness.trouble(scheduler.now + 75_000)
    for (const site of world.sites.values()) {
      site.platform.requestsPerSecond = 200
      Object.assign(site.troubles, { throttled: 0, mute: 0, stale: 0, away: 0 })
    }
  }
  for (const { managers } of [world.cast])
    for (let index = 0; index < managers; index++) start(world, `manager${index}`)
  for (const { id, model } of world.cast.deployments) {
    if (model !== 'push') start(world, `agent-${id}`)
    world.skew(model === 'push' ? 'manager0' : `agent-${id}`, 0)
    access(world, id, false)
    hold(world, id, false)
    openWindows(world, id)
  }
  for (let index = 0; index < world.cast.managers; index++) world.skew(`manager${index}`, 0)
  if (round === 1) {
    for (const channel of channels) {
      if (followers(db, channel).length === 0) continue
      const last = world.publish('good', channel)
      db.createRollout(last, atOnce, scheduler.now)
      for (const row of db.deployments.values()) {
        const carried = row.model === 'airgapped' && row.channel === channel
        if (carried && row.operation === 'run' && row.pinned === null)
          world.tell(row.id, last.digest, 'A bundle was made')
      }
    }
  }
  for (const row of db.deployments.values()) {
    if (row.deleted) continue
    if (row.target && row.state?.phase === 'needs-setup') world.applySetup(row.id, row.target.release)
    const { code } = row.state?.reason ?? { code: '' }
    const asks = code === 'WAITS_FOR_APPROVAL' || code === 'UPDATE_REFUSED' || code === 'NEEDS_SETUP'
    if (asks && !answeredNow(world, row.id)) answer(world, row.id, 'pass')
    if (row.model === 'airgapped') carry(world, row.id)
    // A pinned one that failed for good, or that somebody paused, asks for a person: no other release takes its place.
    const failed = row.state?.rejected.some(({ target }) => target === row.target?.digest)
    const kind = failed ? 'retry' : code === 'paused-person' ? 'resume' : null
    if (kind && row.pinned && round % 12 === 3) {
      row.controls.push({ id: `heal${round}`, kind, by: 'ada', at: scheduler.now })
      db.bump(row, scheduler.now)
    }
  }
  truth.revokedSince.clear()
}

function start(world: World, process: string): void {
  const life = world.life(process)
  if (!life) world.startProcess(process)
  else Object.assign(life, { doom: null, frozenUntil: 0 })
}

function answeredNow(world: World, id: string): boolean {
  const { target } = world.row(id)
  const { consent } = world.cast.deployments.find((one) => one.id === id) ?? { consent: 'automatic' }
  return (
    consent !== 'agent' && world.row(id).answers.findLast((one) => one.target === target?.digest)?.status === 'pass'
  )
}

function carry(world: World, id: string): void {
  const bundle = world.bundle(id)
  if (bundle) world.takeBundle(id, bundle)
  world.scheduler.after(2_000, null, `export ${id}`, () => {
    const report = exportOf(world, id)
    if (report) world.takeExport(id, report)
  })
}

const followers = (db: World['db'], channel: Channel) =>
  [...db.deployments.values()].filter((row) => row.channel === channel && row.operation === 'run' && !row.deleted)

/** Whether a rollout to it can end: it waits for somebody whom it may tell. */
const isRolledOut = (db: World['db'], channel: Channel) =>
  followers(db, channel).some(({ model, pinned }) => model !== 'airgapped' && pinned === null)

/** Who is not where it should be, and why; null: all have arrived. */
export function arrived(world: World): string | null {
  const { db } = world
  for (const row of db.deployments.values()) {
    const { platform } = world.site(row.id)
    const says = `${row.state?.phase} ${row.state?.reason.code}: ${row.state?.reason.message}`
    if (row.operation === 'destroy') {
      const left = [...platform.things.keys(), ...platform.workers.keys(), ...platform.areas]
      if (left.length > 0) return `${row.id} is to be gone and still has ${left.join(', ')} (${says})`
      if (!row.deleted) return `${row.id} is gone, and nobody knows (${says})`
      continue
    }
    const last = [...db.releases.values()].findLast((release) => release.channel === row.channel)
    const wanted = row.pinned ?? last?.digest
    const version = db.releases.get(wanted ?? '')?.version
    if (row.target?.release !== wanted) {
      const { rollout } = row
      const of = rollout ? db.rollouts.get(rollout) : undefined
      const newest = [...db.rollouts.values()].at(-1)
      return `${row.id} was not told ${version} but ${db.releases.get(row.target?.release ?? '')?.version} by ${of?.version} (${of?.state.phase}); newest rollout ${newest?.version} ${newest?.state.phase}: ${newest?.state.reason.message}; member ${JSON.stringify(newest?.state.members[row.id])} (${says})`
    }
    const { state } = row
    if (
      state?.stable?.digest !== row.target?.digest ||
      state?.candidate ||
      state?.phase !== 'running' ||
      state.previous
    )
      return `${row.id} does not rest on ${version} (${says})`
    if (row.observed < row.requested) return `${row.id} has not answered generation ${row.requested}`
    for (const [name, worker] of Object.entries(state.workers)) {
      const real = platform.workers.get(`x-${name}`)
      if (real?.shares[worker.stable ?? ''] !== 100) return `${row.id}: ${name} is not served by its stable`
      // A session may end between the end of a window and the clearing away.
      if (worker.rest !== worker.stable) return `${row.id}: what ${name} ran before is not cleared away yet`
    }
  }
  const left = world.commands.watch.left(world.scheduler.now)
  if (left) return left
  const open = [...db.rollouts.values()].filter((row) => row.finishedAt === null && isRolledOut(db, row.channel))
  if (open[0])
    return `rollout ${open[0].id} of ${open[0].version} is ${open[0].state.phase}: ${open[0].state.reason.message}`
  return null
}

/** At rest: nothing orphaned, and every chain whole. */
export function lastChecks(world: World): void {
  const { db, watch } = world
  world.commands.watch.lastChecks()
  for (const row of db.deployments.values()) {
    const site = world.site(row.id)
    if (row.operation !== 'destroy') orphans(world, row.id)
    const broken = brokenLink(row.chain, row.id)
    if (broken) watch.fail('audit chains are whole', `${row.id}, manager: ${broken}`)
    if (row.model === 'push') continue
    const audit = new AgentAudit(
      openMemory(
        site.disk,
        () => false,
        () => {},
      ),
    )
    const { ok, broken: where } = audit.verify(row.id)
    if (!ok) watch.fail('audit chains are whole', `${row.id}, agent: entry ${where?.number} ${where?.message}`)
    const copied = brokenLink(row.copied, `agent:${row.id}`)
    if (copied) watch.fail('audit chains are whole', `${row.id}, copy of the agent's: ${copied}`)
  }
}

function orphans(world: World, id: string): void {
  const { state } = world.row(id)
  const { platform } = world.site(id)
  const known = new Set(Object.keys(state?.resources ?? {}).map((name) => `x-${name}`))
  const strange = [...platform.things.keys(), ...platform.workers.keys()].filter((name) => !known.has(name))
  for (const [name, worker] of platform.workers) {
    const recorded = state?.workers[name.slice(2)]
    for (const version of worker.versions.keys())
      if (version !== recorded?.stable) strange.push(`${name}@${worker.versions.get(version)?.release}`)
  }
  if (strange.length > 0) world.watch.fail('nothing is orphaned', `${id} has ${strange.join(', ')}`)
}

function brokenLink(chain: readonly AuditLink[], name: string): string | null {
  let previous = genesis(name)
  for (const [index, link] of chain.entries()) {
    if (link.number !== index + 1) return `entry ${index + 1} is missing`
    if (link.previous !== previous || hashOf(link) !== link.hash) return `entry ${link.number} does not fit`
    previous = link.hash
  }
  return null
}

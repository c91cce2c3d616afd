import type { AgentParts } from '../../packages/agent/src/parts.ts'
import { changeHere } from '../../packages/agent/src/settings/change-here.ts'
import { pauseHere, resumeHere } from '../../packages/agent/src/site/pause.ts'
import { setupAsked } from '../../packages/agent/src/status/setup-asked.ts'
import type { RunningAgent } from './agent.ts'
import { moveTo } from './channels.ts'
import type { Entry } from './script.ts'
import { noteTrouble } from './trouble.ts'
import { atOnce, rings, type World } from './world.ts'

/** Does what an entry of the script says. What can't be done now, such as an answer to nothing, is not done. */
export function act(world: World, entry: Entry): void {
  const { db, scheduler, truth } = world
  const { now } = scheduler
  const newest = [...db.rollouts.values()].at(-1)
  noteTrouble(world, entry)
  world.windows.trouble(entry)
  switch (entry.kind) {
    case 'release': {
      const release = world.publish(entry.release, entry.channel)
      db.createRollout(release, entry.waves === 'all' ? atOnce : rings, now)
      for (const row of db.deployments.values()) {
        // Whoever names a release for a bundle is obeyed, so that nobody names another than the pinned one.
        const carried = row.model === 'airgapped' && row.channel === release.channel && row.pinned === null
        if (carried && !row.deleted && row.operation === 'run') world.tell(row.id, release.digest, 'A bundle was made')
      }
      return
    }
    case 'move':
      moveTo(db, world.row(entry.on), entry.to, now)
      return
    case 'back': {
      const earlier = [...db.rollouts.values()].filter((row) => row.state.phase === 'complete').at(-2)
      const release = earlier ? db.releases.get(earlier.release) : undefined
      if (release) db.createRollout(release, atOnce, now)
      return
    }
    case 'control':
      newest?.controls.push({ id: `c${newest.controls.length}-${entry.at}`, kind: entry.control, by: 'ada', at: now })
      if (newest) db.nudge(newest.id, now)
      return
    case 'steer': {
      const row = world.row(entry.on)
      // Refused where nothing is asked to run.
      if (!row.target) return
      truth.unmeasured.add(entry.on)
      row.controls.push({ id: `s${entry.at}`, kind: entry.control, by: 'ada', at: now, target: row.target.digest })
      db.bump(row, now)
      return
    }
    case 'freeze':
      db.freeze = { until: now + entry.ms, reason: 'holidays' }
      return
    case 'pin': {
      const row = world.row(entry.on)
      // Nobody pins what has crashed or will.
      if (row.operation !== 'run' || !row.state?.stable || db.releases.get(row.state.stable.release)?.kind === 'late')
        return
      row.pinned = row.state.stable.release
      world.tell(entry.on, row.pinned, 'Pinned')
      return
    }
    case 'unpin':
      world.row(entry.on).pinned = null
      return
    case 'config': {
      const row = world.row(entry.on)
      row.level += 1
      if (row.target && row.operation === 'run') world.tell(entry.on, row.target.release, 'Config changed')
      return
    }
    case 'destroy': {
      const row = world.row(entry.on)
      truth.destroyed.add(entry.on)
      row.operation = 'destroy'
      db.bump(row, now)
      return
    }
    case 'answer':
      answer(world, entry.on, entry.status)
      return
    case 'setup': {
      const { target } = world.row(entry.on)
      if (target) world.applySetup(entry.on, target.release)
      return
    }
    case 'hold':
    case 'go-on':
      hold(world, entry.on, entry.kind === 'hold')
      return
    case 'revoke':
    case 'grant':
      access(world, entry.on, entry.kind === 'revoke')
      return
    case 'carry': {
      const bundle = world.bundle(entry.on)
      for (const delay of entry.delays)
        scheduler.after(delay, null, `bundle ${entry.on}`, () => bundle && world.takeBundle(entry.on, bundle))
      return
    }
    case 'export': {
      const report = exportOf(world, entry.on)
      for (const delay of entry.delays)
        scheduler.after(delay, null, `export ${entry.on}`, () => report && world.takeExport(entry.on, report))
      return
    }
    case 'kill': {
      const life = world.life(entry.process)
      if (life) life.doom ??= entry.after
      // It is started again after it was down; one that was never killed by then is killed no more.
      scheduler.after(entry.downMs + 1_000, null, `start ${entry.process}`, () =>
        revive(world, entry.process, entry.downMs),
      )
      return
    }
    case 'stop': {
      const life = world.life(entry.process)
      if (life) life.frozenUntil = now + entry.ms
      return
    }
    case 'stop-claimer':
      world.commands.stopClaimer(entry.key, (process) =>
        act(world, { at: entry.at, kind: 'stop', process, ms: entry.ms }),
      )
      return
    case 'clock':
      world.skew(entry.process, entry.skew)
      return
    case 'network':
      world.networks.set(entry.on, [...(world.networks.get(entry.on) ?? []), { how: entry.how, until: now + entry.ms }])
      return
    case 'database':
      world.databaseTroubles[entry.how] = now + entry.ms
      return
    case 'platform':
      world.site(entry.on).troubles[entry.how] = now + entry.ms
      return
    case 'instances':
      truth.crashedAt.set(entry.on, now)
      for (const worker of world.site(entry.on).platform.workers.values())
        for (const version of worker.versions.values()) version.startedAt = now
      return
    case 'command': {
      const send = () => {
        if (world.databaseTroubles.away > scheduler.now) return
        world.commands.send(world.row(entry.on), entry, scheduler.now)
        db.notify('commands')
      }
      send()
      for (const delay of entry.again) scheduler.after(delay, null, `command ${entry.key}`, send)
      return
    }
    case 'cancel':
      world.commands.cancel(entry.key, now)
      db.notify('commands')
      return
    case 'deaf':
      world.deafUntil = now + entry.ms
  }
}

function revive(world: World, process: string, downMs: number): void {
  if (!world.life(process)) world.startProcess(process)
  else world.scheduler.after(downMs + 1_000, null, `start ${process}`, () => world.startProcess(process))
}

/** What a site hands over now: what happened since the bundle that it took last. */
export function exportOf(world: World, id: string) {
  const agent = world.agents.get(`agent-${id}`)
  if (!agent || agent.life.frozenUntil > world.scheduler.now) return null
  try {
    const copy = (agent.parts.state.get('bundle-copy') as number | undefined) ?? 0
    return JSON.parse(JSON.stringify(agent.export(copy))) as ReturnType<typeof agent.export>
  } catch (error) {
    if (agent.life.dead) return null
    throw error
  }
}

/** The customer answers what is asked, where it counts; bound to the target that was shown. */
export function answer(world: World, id: string, status: 'pass' | 'fail'): void {
  const { truth, scheduler } = world
  const row = world.row(id)
  const { consent } = world.cast.deployments.find((one) => one.id === id) ?? { consent: 'automatic' }
  const agent = world.agents.get(`agent-${id}`)
  if (consent === 'agent') {
    if (agent) atSite(agent.life, () => answerAtSite(world, agent, id, status))
    return
  }
  const { target } = row
  if (!target || row.operation !== 'run') return
  if (status === 'pass') note(truth.approved, id, target.digest, 'portal')
  const refused = { gate: 'update', target: target.digest, status, by: 'bob', at: scheduler.now } as const
  row.answers.push(refused)
  world.db.bump(row, scheduler.now)
}

/** What `answerHere` does, without the signed statements that it shows people: to what is asked here now, bound to it. */
function answerAtSite(world: World, { parts }: RunningAgent, id: string, status: 'pass' | 'fail'): void {
  const { store, settings, audit, state, clock } = parts
  const look = store.look(id)
  const asked = setupAsked(look, settings)
  const target = look?.desired.target
  const code = look?.state?.reason.code
  const asks = target && (code === 'WAITS_FOR_APPROVAL' || code === 'UPDATE_REFUSED')
  if (!asks && asked === null) return
  state.transaction(() => {
    if (asks) settings.addAnswer({ gate: 'update', target: target.digest, status, by: 'bob', at: clock.now() })
    if (asked !== null && status === 'pass') settings.approveSetup(asked)
    audit.append(id, [{ at: clock.now(), type: 'answer.given', actor: 'bob', message: `${status} at the agent` }])
    store.touch(id)
    if (asks && status === 'pass') note(world.truth.approved, id, target.digest, 'agent')
  })
  parts.wake()
}

function note(map: World['truth']['approved'], id: string, target: string, where: 'portal' | 'agent'): void {
  const known = map.get(id) ?? new Map<string, 'portal' | 'agent'>()
  if (known.get(target) !== 'agent') known.set(target, where)
  map.set(id, known)
}

/** Pauses updates at the agent where there is one, else in the portal. */
export function hold(world: World, id: string, paused: boolean): void {
  const agent = world.agents.get(`agent-${id}`)
  const row = world.row(id)
  if (row.model !== 'push') {
    if (agent) atSite(agent.life, () => (paused ? pauseHere : resumeHere)(agent.parts as AgentParts, 'bob'))
    return
  }
  const { consent } = world.cast.deployments.find((one) => one.id === id) ?? { consent: 'automatic' }
  const updates = paused ? 'paused' : consent === 'automatic' ? 'automatic' : 'approval'
  if (row.customer.updates === updates) return
  row.customer = { ...row.customer, updates }
  world.db.bump(row, world.scheduler.now)
}

export function access(world: World, id: string, revoked: boolean): void {
  const { truth, scheduler } = world
  const row = world.row(id)
  const next = revoked ? 'revoked' : 'granted'
  const agent = world.agents.get(`agent-${id}`)
  const said = () => {
    if (!revoked) truth.revokedSince.delete(id)
    else if (!truth.revokedSince.has(id)) truth.revokedSince.set(id, scheduler.now)
  }
  if (row.model !== 'push') {
    if (agent && atSite(agent.life, () => changeHere(agent.parts as AgentParts, { access: next }, 'bob'))) said()
    return
  }
  if (row.customer.access === next) return
  said()
  row.customer = { ...row.customer, access: next }
  world.db.bump(row, scheduler.now)
}

/** From now on updates may begin at any time: said in the portal, and at the agent where only that counts. */
export function openWindows(world: World, id: string): void {
  const row = world.row(id)
  const agent = world.agents.get(`agent-${id}`)
  if (agent && !agent.life.dead && agent.parts.settings.inForce().windows.length > 0)
    atSite(agent.life, () => changeHere(agent.parts as AgentParts, { windows: [] }, 'bob'))
  if (row.customer.windows.length === 0) return
  row.customer = { ...row.customer, windows: [] }
  world.db.bump(row, world.scheduler.now)
}

/** A kill in the middle of it is no error of ours. Answers whether it was done. */
function atSite(life: { dead: boolean }, work: () => unknown): boolean {
  try {
    work()
    return true
  } catch (error) {
    if (life.dead) return false
    throw error
  }
}

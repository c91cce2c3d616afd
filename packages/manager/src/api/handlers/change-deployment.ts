import type { Target } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import { appendAudit } from '../../audit/append-audit.ts'
import { publishChanges } from '../../changes/publish-changes.ts'
import type { Handlers } from '../../http/handler.ts'
import { conflict } from '../../http/refusals.ts'
import type { Services } from '../../http/services.ts'
import type { Trx } from '../../store/database.ts'
import { requireChannel, tellAllowed } from '../../store/deployments/create-deployment.ts'
import { type DeploymentRow, lockDeployment } from '../../store/deployments/find-deployment.ts'
import { newId } from '../../store/new-id.ts'
import { findRelease } from '../../store/releases/find-release.ts'
import { wakeRollouts } from '../../store/rollouts/wake-rollouts.ts'
import { allowedRelease } from '../../store/targets/allowed-release.ts'
import { prepareTarget } from '../../store/targets/prepare-targets.ts'
import { bumpGeneration, tellTarget } from '../../store/targets/tell-target.ts'
import { viewOf } from './deployments.ts'

export const changeDeploymentHandlers = {
  updateDeployment: async ({ params, body, actor }, services) =>
    change(services, params, async (trx, row, at) => {
      const changed: string[] = []
      if (body.group !== undefined) {
        if (body.group !== null) {
          const group = { project: row.project, name: body.group }
          await trx
            .insertInto('groups')
            .values(group)
            .onConflict((conflict) => conflict.doNothing())
            .execute()
        }
        await trx.updateTable('deployments').set({ group_name: body.group }).where('id', '=', row.id).execute()
        changed.push(body.group === null ? 'left its group' : `moved to the group ${body.group}`)
      }
      if (body.policy !== undefined) {
        const policy = JSON.stringify({ ...row.policy, ...body.policy })
        await trx.updateTable('deployments').set({ policy }).where('id', '=', row.id).execute()
        await bumpGeneration(trx, row.id)
        changed.push('its policy was changed')
      }
      const channel = body.channel ?? row.channel
      if (channel !== row.channel) {
        await requireChannel(trx, row.project, channel)
        await trx.updateTable('deployments').set({ channel }).where('id', '=', row.id).execute()
        changed.push(`moved to the channel ${channel}`)
      }
      if (body.pin !== undefined) changed.push(await pin(trx, row, body.pin, actor, at))
      const pinned = body.pin === undefined ? row.pinned !== null : body.pin !== null
      if (!pinned && (body.pin === null || channel !== row.channel)) await moveOn(trx, { ...row, channel }, actor, at)
      await wakeRollouts(trx, row.project, channel)
      if (changed.length > 0)
        await note(trx, row, 'deployment.changed', actor, `${row.name} ${changed.join(', ')}.`, at)
    }),

  destroyDeployment: async ({ params, actor }, services) =>
    change(services, params, async (trx, row, at) => {
      if (row.operation === 'destroy') return
      await trx.updateTable('deployments').set({ operation: 'destroy' }).where('id', '=', row.id).execute()
      await bumpGeneration(trx, row.id)
      await wakeRollouts(trx, row.project, row.channel)
      await note(trx, row, 'deployment.destroy-asked', actor, `${row.name} is to be destroyed with all it made.`, at)
    }),

  setupDeployment: async ({ params, body, actor }, services) =>
    change(services, params, async (trx, row, at) => {
      const release = await findRelease(trx, row.project, body.release)
      if (row.setup_release === release.digest) return
      await trx.updateTable('deployments').set({ setup_release: release.digest }).where('id', '=', row.id).execute()
      await bumpGeneration(trx, row.id)
      if (row.target === null && row.pinned === null) await tellAllowed(trx, row, actor, at)
      await wakeRollouts(trx, row.project, row.channel)
      const message = `The setup of ${release.version} was reviewed and approved.`
      await note(trx, row, 'deployment.setup', actor, message, at, { release: release.digest })
    }),

  controlDeployment: async ({ params, body, actor }, services) =>
    change(services, params, async (trx, row, at) => {
      // It would be kept, and steer the first release that comes, whoever meant it for another.
      if (row.target === null) {
        const message = `Nothing is asked to run at ${row.name} now, so there is nothing to ${body.kind}.`
        throw conflict(
          message,
          'Wait until a release has reached it; to keep releases away, pin it or freeze the project.',
        )
      }
      const reason = body.reason ?? null
      const id = newId('ctl')
      await trx
        .insertInto('controls')
        .values({
          deployment: row.id,
          id,
          kind: body.kind,
          by: actor,
          reason,
          target: row.target.digest,
          at: new Date(at),
        })
        .execute()
      await bumpGeneration(trx, row.id)
      const message = `${body.kind} was asked for${reason === null ? '' : `: ${reason}`}.`
      await note(trx, row, `control.${body.kind}`, actor, message, at, { control: id })
    }),

  rollbackDeployment: async ({ params, body, actor }, services) =>
    change(services, params, async (trx, row, at) => {
      const to = body.to === undefined ? earlier(row) : await ranBefore(trx, row, body.to)
      const release = await findRelease(trx, row.project, to.release)
      await trx.updateTable('deployments').set({ pinned: release.digest }).where('id', '=', row.id).execute()
      const why = body.reason === undefined ? '' : `: ${body.reason}`
      const message = `It goes back to ${release.version} and is pinned there${why}.`
      const order = { deployment: row.id, project: row.project, target: to, cause: 'rollback', actor, message, at }
      if (!(await tellTarget(trx, order))) await note(trx, row, 'deployment.changed', actor, message, at)
      await wakeRollouts(trx, row.project, row.channel)
    }),
} satisfies Partial<Handlers>

/** One change of one deployment: under its row's lock, all or nothing; then everybody concerned is woken. */
export async function change(
  services: Services,
  params: { project: string; deployment: string },
  apply: (trx: Trx, row: DeploymentRow, at: number) => Promise<void>,
) {
  const { db, clock, waker } = services
  const at = clock.now()
  const id = await db.transaction().execute(async (trx) => {
    const row = await lockDeployment(trx, params.project, params.deployment)
    await apply(trx, row, at)
    return row.id
  })
  waker.wake('deployments', 'rollouts', 'changes')
  return viewOf(db, params.project, id)
}

export async function note(
  trx: Trx,
  row: DeploymentRow,
  type: string,
  actor: string,
  message: string,
  at: number,
  data: unknown = null,
): Promise<void> {
  const { project, id } = row
  await publishChanges(trx, [{ project, kind: 'deployment', id, at }])
  await appendAudit(trx, [{ project, deployment: id, type, actor, message, data, at }])
}

async function pin(trx: Trx, row: DeploymentRow, to: string | null, actor: string, at: number): Promise<string> {
  if (to === null) {
    await trx.updateTable('deployments').set({ pinned: null }).where('id', '=', row.id).execute()
    return 'was unpinned'
  }
  const release = await findRelease(trx, row.project, to)
  const ran = [row.state?.stable, ...(row.state?.history ?? [])].some((target) => target?.release === release.digest)
  if (!ran && release.sequence < (row.state?.sequence ?? 0)) {
    throw conflict(
      `It has run newer releases than ${release.version}, and never that one: its runner would refuse the downgrade.`,
      'Release the older code again as a new version, or roll back to one that it ran before.',
    )
  }
  const target = await prepareTarget(trx, row, release.digest, at, actor)
  await trx.updateTable('deployments').set({ pinned: release.digest }).where('id', '=', row.id).execute()
  const message = `It was told to run ${release.version}, where it is pinned.`
  await tellTarget(trx, { deployment: row.id, project: row.project, target, cause: 'pin', actor, message, at })
  return `was pinned to ${release.version}`
}

/** After it was unpinned or moved: the newest release it is allowed, never an older one than it runs. */
async function moveOn(trx: Trx, row: DeploymentRow, actor: string, at: number): Promise<void> {
  const allowed = await allowedRelease(trx, row.project, row.channel)
  if (allowed === null) return
  if (row.target) {
    const there = await findRelease(trx, row.project, row.target.release)
    // What is newer and still on its way in the channel comes by its rollout.
    if ((await findRelease(trx, row.project, allowed)).sequence <= there.sequence) return
  }
  await tellAllowed(trx, row, actor, at)
}

/** Where "back" is: what it rests on while something else is on its way, else what it rested on before. */
function earlier(row: DeploymentRow): Target {
  const { state } = row
  const stable = state?.stable ?? null
  if (stable && row.target && row.target.release !== stable.release) return stable
  const before = [state?.previous, ...(state?.history ?? [])].find(
    (target) => target && target.release !== stable?.release,
  )
  if (before) return before
  throw new LandfallError({
    code: 'E_NOTHING_BEFORE',
    message: `${row.name} has run no other release before.`,
    hint: 'Release a fix, or pin it to another release.',
  })
}

async function ranBefore(trx: Trx, row: DeploymentRow, version: string): Promise<Target> {
  const release = await findRelease(trx, row.project, version)
  const remembered = [row.state?.stable, row.state?.previous, ...(row.state?.history ?? [])]
  const target = remembered.find((one) => one?.release === release.digest)
  if (target) return target
  throw new LandfallError({
    code: 'E_NOTHING_BEFORE',
    message: `${row.name} has not run ${release.version} before.`,
    hint: 'Pin it to that release, which goes forward to it, or roll back to one that it ran.',
  })
}

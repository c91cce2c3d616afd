import { checkInput, findDefinition } from '@landfall/engine'
import { durationMs, LandfallError } from '@landfall/stack'
import { sql } from 'kysely'
import { cancelCommand } from '../../commands/cancel-command.ts'
import { queueCommand } from '../../commands/queue-command.ts'
import { readOutput } from '../../commands/read-output.ts'
import { recordSigned } from '../../commands/record-signed.ts'
import type { Handlers } from '../../http/handler.ts'
import { conflict, notFound } from '../../http/refusals.ts'
import type { Services } from '../../http/services.ts'
import { customerInForce } from '../../portal/customer-in-force.ts'
import type { Database } from '../../store/database.ts'
import { findDeployment } from '../../store/deployments/find-deployment.ts'
import { findRelease } from '../../store/releases/find-release.ts'
import { commandView } from '../views/command-view.ts'
import { cursorText, readCursor } from '../views/cursor.ts'

export const commandHandlers = {
  listCommands: async ({ params, query }, { db, keyring }) => {
    const deployment = await findDeployment(db, params.project, params.deployment)
    let select = db
      .selectFrom('commands')
      .selectAll()
      .where('deployment', '=', deployment.id)
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(query.limit + 1)
    if (query.status !== undefined) select = select.where('status', '=', query.status)
    if (query.after !== undefined) {
      const { at, id } = readCursor(query.after)
      select = select.where(sql<boolean>`(created_at, id) < (${at}, ${id})`)
    }
    const rows = await select.execute()
    const items = rows.slice(0, query.limit)
    const last = items.at(-1)
    return {
      // Output is read one command at a time: it may be long.
      items: items.map((row) => commandView(row, keyring, '')),
      next: rows.length > items.length && last ? cursorText(last) : null,
    }
  },

  sendCommand: async ({ params, body, actor, headers }, services) => {
    const { db, keyring, clock, waker } = services
    const { project } = params
    const deployment = await findDeployment(db, project, params.deployment)
    const { settings } = await customerInForce(db, deployment)
    if (settings.access === 'revoked') throw revoked(deployment.name)
    if (deployment.model === 'airgapped') throw byBundle(deployment.name)
    const running = deployment.state?.stable
    if (!running || deployment.operation === 'destroy') {
      throw conflict(
        `Nothing runs in ${deployment.name} that could take a command.`,
        'Wait until a release rests there.',
      )
    }
    const { manifest } = (await findRelease(db, project, running.release)).statement
    const { worker, definition } = findDefinition(manifest, body.command, body.worker)
    checkInput(body.command, definition, body.input)
    const at = clock.now()
    const allowedMs =
      body.deadlineSeconds === undefined ? durationMs(definition.deadline) : body.deadlineSeconds * 1_000
    const id = await db.transaction().execute((trx) =>
      queueCommand(trx, keyring, {
        project,
        deployment: deployment.id,
        worker,
        version: null,
        command: body.command,
        input: body.input,
        deadline: at + allowedMs,
        by: actor,
        idempotencyKey: headers.get('idempotency-key'),
        at,
      }),
    )
    waker.wake('commands', 'changes')
    return one(services, deployment.id, id)
  },

  recordCommand: async ({ params, body, actor }, services) => {
    const { db, keyring, clock, waker } = services
    const deployment = await findDeployment(db, params.project, params.deployment)
    const id = await recordSigned(db, keyring, { deployment, envelope: body.envelope, by: actor, at: clock.now() })
    waker.wake('changes')
    return one(services, deployment.id, id)
  },

  getCommand: async ({ params }, services) => {
    const deployment = await findDeployment(services.db, params.project, params.deployment)
    return one(services, deployment.id, params.command)
  },

  cancelCommand: async ({ params, actor }, services) => {
    const { db, clock, waker } = services
    const { project } = params
    const deployment = await findDeployment(db, project, params.deployment)
    const { via } = await row(db, deployment.id, params.command)
    if (via !== 'direct') throw notHere(params.command)
    const order = { project, deployment: deployment.id, id: params.command, by: actor, at: clock.now() }
    await db.transaction().execute((trx) => cancelCommand(trx, order))
    waker.wake('commands', 'changes')
    return one(services, deployment.id, params.command)
  },
} satisfies Partial<Handlers>

function byBundle(name: string): LandfallError {
  return new LandfallError({
    code: 'E_COMMAND_BY_BUNDLE',
    message: `${name} has no network to here: a command travels there signed, by bundle or as a file, and its result comes back by export.`,
    hint: 'Sign one: landfall command sign DEPLOYMENT WORKER.COMMAND --out FILE',
  })
}

function notHere(id: string): LandfallError {
  return new LandfallError({
    code: 'E_COMMAND_BY_BUNDLE',
    message: `Command ${id} runs at a site without this manager: it can't be cancelled from here.`,
    hint: 'Where it was not carried there yet, do not carry it. It is not begun after its expiry.',
  })
}

function revoked(name: string): LandfallError {
  return new LandfallError({
    code: 'E_ACCESS_REVOKED',
    message: `The customer of ${name} has revoked access: no command runs there.`,
    hint: 'Ask the customer to grant access in the portal, then send it again.',
  })
}

async function row(db: Database, deployment: string, id: string) {
  const found = await db
    .selectFrom('commands')
    .selectAll()
    .where('deployment', '=', deployment)
    .where('id', '=', id)
    .executeTakeFirst()
  if (!found) throw notFound(`command ${id}`)
  return found
}

async function one({ db, keyring }: Services, deployment: string, id: string) {
  return commandView(await row(db, deployment, id), keyring, await readOutput(db, keyring, deployment, id))
}

import { checkCommand } from '@landfall/engine'
import { type Envelope, verifyCommand, verifyKeyset } from '@landfall/release'
import { LandfallError } from '@landfall/stack'
import { appendAudit } from '../audit/append-audit.ts'
import { publishChanges } from '../changes/publish-changes.ts'
import { conflict } from '../http/refusals.ts'
import type { Keyring } from '../secrets/keyring.ts'
import { findProject } from '../store/accounts/projects.ts'
import type { Database } from '../store/database.ts'
import type { findDeployment } from '../store/deployments/find-deployment.ts'
import { findRelease } from '../store/releases/find-release.ts'
import { inputContext } from './contexts.ts'

/**
 * Makes a command known that the vendor has signed and a person carries: proved as its site will prove it, checked against the schema
 * of what runs there as far as that is known here, and kept as `queued` by bundle until an export tells of it. The same one again
 * changes nothing. Answers its id.
 *
 * @throws LandfallError those of `verifyCommand` and `checkCommand`; `E_CONFLICT`, `E_EXISTS`
 */
export async function recordSigned(
  db: Database,
  keyring: Keyring,
  given: { deployment: Awaited<ReturnType<typeof findDeployment>>; envelope: Envelope; by: string; at: number },
): Promise<string> {
  const { deployment, envelope, by, at } = given
  const { project } = deployment
  if (deployment.model === 'push') {
    throw conflict(`${deployment.name} is run by this manager.`, 'Send the command: landfall command run')
  }
  const row = await findProject(db, project)
  const root = { id: row.root_key_id, publicKey: row.root_public_key }
  const statement = await verifyCommand(envelope, {
    keyset: verifyKeyset(row.keyset, { root, minVersion: 1, now: at, project }),
    ...{ project, deployment: deployment.id, now: at },
    // Only a site counts nonces: here the id says whether it is known.
    nonces: { seen: async () => false },
  })
  const { state, target } = deployment
  const releases = new Set([state?.stable, state?.candidate, target].flatMap((each) => each?.release ?? []))
  if (releases.size === 0) {
    throw conflict(
      `No release was given to ${deployment.name} yet.`,
      'Give it one first: its schema is what is checked.',
    )
  }
  const manifests = []
  for (const release of releases) manifests.push((await findRelease(db, project, release)).statement.manifest)
  checkCommand(manifests, statement)
  const { id, worker, command } = statement
  return db.transaction().execute(async (trx) => {
    const made = await trx
      .insertInto('commands')
      .values({
        ...{ deployment: deployment.id, id, project, worker, command, via: 'bundle', created_by: by },
        version: null,
        input: keyring.seal(JSON.stringify(statement.input), inputContext(deployment.id, id)),
        created_at: new Date(at),
        deadline: new Date(statement.expiresAt),
      })
      .onConflict((conflict) => conflict.columns(['deployment', 'id']).doNothing())
      .returning('id')
      .executeTakeFirst()
    if (!made) {
      const known = await trx
        .selectFrom('commands')
        .select(['worker', 'command', 'deadline', 'via'])
        .where('deployment', '=', deployment.id)
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
      // One that came back by an export before it was made known keeps what that told.
      const same = known.worker === worker && known.command === command && known.via !== 'direct'
      if (same && known.deadline.getTime() === Date.parse(statement.expiresAt)) return id
      throw otherOfId(id)
    }
    await publishChanges(trx, [{ project, kind: 'command', id, at }])
    await appendAudit(trx, [
      {
        ...{ project, deployment: deployment.id, type: 'command.signed', actor: by, resource: worker, at },
        message: `Signed command ${command} for ${worker}, to be carried`,
        data: { command: id, name: command, expires: statement.expiresAt },
      },
    ])
    return id
  })
}

const otherOfId = (id: string) =>
  new LandfallError({
    code: 'E_EXISTS',
    message: `There is another command with the id ${id}.`,
    hint: 'Sign it again under an id of its own.',
  })

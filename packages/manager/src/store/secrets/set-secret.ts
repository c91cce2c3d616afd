import type { Keyring } from '../../secrets/keyring.ts'
import type { Trx } from '../database.ts'

/** What a sealed secret is bound to: it does not open in another row. */
export function secretContext(deployment: string, name: string, version: number): string {
  return `secret:${deployment}:${name}:${version}`
}

/**
 * Sets a secret: a new version, sealed. The same value as the current version makes none. Answers the version in force.
 * The caller holds the deployment's row lock, so that versions are given one at a time.
 */
export async function setSecret(
  trx: Trx,
  keyring: Keyring,
  secret: { deployment: string; name: string; value: string; by: string; at: number },
): Promise<number> {
  const { deployment, name, value } = secret
  const hash = keyring.keyedHash(value, `secret:${deployment}:${name}`)
  const newest = await newestVersion(trx, deployment, name)
  if (newest && newest.removed_at === null && newest.hash === hash) return newest.version
  const version = (newest?.version ?? 0) + 1
  await trx
    .insertInto('secrets')
    .values({
      deployment,
      name,
      version,
      sealed: keyring.seal(value, secretContext(deployment, name, version)),
      hash,
      set_by: secret.by,
      set_at: new Date(secret.at),
    })
    .execute()
  return version
}

/** Takes a secret away. Earlier versions stay for targets that go back to them. */
export async function removeSecret(trx: Trx, deployment: string, name: string, at: number): Promise<void> {
  const newest = await newestVersion(trx, deployment, name)
  if (!newest) return
  await trx
    .updateTable('secrets')
    .set({ removed_at: new Date(at) })
    .where('deployment', '=', deployment)
    .where('name', '=', name)
    .where('version', '=', newest.version)
    .where('removed_at', 'is', null)
    .execute()
}

function newestVersion(trx: Trx, deployment: string, name: string) {
  return trx
    .selectFrom('secrets')
    .select(['version', 'hash', 'removed_at'])
    .where('deployment', '=', deployment)
    .where('name', '=', name)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst()
}

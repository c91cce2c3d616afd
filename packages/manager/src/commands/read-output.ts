import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'
import { outputContext } from './contexts.ts'

/** All that a command has written so far. */
export async function readOutput(db: Database, keyring: Keyring, deployment: string, id: string): Promise<string> {
  const rows = await db
    .selectFrom('command_output')
    .select(['number', 'chunk'])
    .where('deployment', '=', deployment)
    .where('command', '=', id)
    .orderBy('number')
    .execute()
  return rows
    .map(({ number, chunk }) =>
      keyring.open(Buffer.from(chunk, 'base64'), outputContext(deployment, id, number)).toString('utf8'),
    )
    .join('')
}

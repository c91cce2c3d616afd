import type { change } from '@landfall/contract'
import { sql } from 'kysely'
import type { z } from 'zod'
import type { Trx } from '../store/database.ts'

export type ChangeKind = Exclude<z.output<typeof change>['kind'], 'hello'>

/** Something a page may show has changed; readers read it again. */
export interface PublishedChange {
  project: string
  kind: ChangeKind
  id: string
  /** Milliseconds since the epoch. */
  at: number
}

/**
 * Writes to the change feed within the caller's transaction. Wake the readers after the commit (`Waker.wake('changes')`): a
 * NOTIFY inside would take a lock of the whole server at commit.
 */
export async function publishChanges(trx: Trx, changes: readonly PublishedChange[]): Promise<void> {
  if (changes.length === 0) return
  // A parameter for each column, however many they are.
  const column = <Name extends keyof PublishedChange>(name: Name) => changes.map((change) => change[name])
  await sql`insert into changes (project, kind, id, at) select project, kind, id, to_timestamp(at / 1000.0)
    from unnest(${column('project')}::text[], ${column('kind')}::text[], ${column('id')}::text[], ${column('at')}::float8[])
      as given (project, kind, id, at)`.execute(trx)
}

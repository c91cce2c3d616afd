import type { agentKeyset } from '@landfall/contract'
import type { z } from 'zod'
import { findProject } from '../store/accounts/projects.ts'
import type { Database, Trx } from '../store/database.ts'

/** The newest keyset of a project. A project's root can't be rotated in this version, so nothing leads to another. */
export async function newestKeyset(db: Database | Trx, project: string): Promise<z.output<typeof agentKeyset>> {
  const { keyset, keyset_version: version } = await findProject(db, project)
  return { version, envelope: keyset, rotations: [] }
}

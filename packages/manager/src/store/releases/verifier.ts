import type { Verifier } from '@landfall/engine'
import { createVerifier, envelopeSchema } from '@landfall/release'
import { findProject } from '../accounts/projects.ts'
import type { Database } from '../database.ts'

/** The engine's verifier over what the store holds: nothing in a row is believed that a signature does not prove. */
export function storeVerifier(db: Database, clock: { now(): number }): Verifier {
  return createVerifier({
    clock,
    envelopes: async (digest, { project }) => {
      const row = await db
        .selectFrom('releases')
        .select('envelope')
        .where('project', '=', project)
        .where('digest', '=', digest)
        .executeTakeFirst()
      return row ? envelopeSchema.parse(row.envelope) : null
    },
    keyset: async (project) => (await findProject(db, project)).keyset,
    root: async (project) => {
      const row = await findProject(db, project)
      return { id: row.root_key_id, publicKey: row.root_public_key }
    },
    minKeysetVersion: async ({ project }) => (await findProject(db, project)).keyset_version,
    // The engine's own memory of what it has accepted: a release that ran stays loadable after its key was retired.
    accepted: async (digest, { id }) => {
      const row = await db.selectFrom('deployments').select('state').where('id', '=', id).executeTakeFirst()
      const state = row?.state
      const known = [state?.stable, state?.previous, ...(state?.history ?? [])]
      return known.some((target) => target?.release === digest)
    },
  })
}

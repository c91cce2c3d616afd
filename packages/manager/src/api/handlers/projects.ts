import { keyIdOf, keysetDigest, verifyKeyset } from '@landfall/release'
import { LandfallError } from '@landfall/stack'
import { appendAudit } from '../../audit/append-audit.ts'
import type { Handlers } from '../../http/handler.ts'
import { isPerson } from '../../http/principal.ts'
import { conflict, exists, notFound } from '../../http/refusals.ts'
import { findProject, listProjects, lockProject } from '../../store/accounts/projects.ts'
import { defaultPlan } from '../default-plan.ts'
import { projectView } from '../views/account-views.ts'

export const projectHandlers = {
  listProjects: async ({ principal }, { db }) => {
    const all = isPerson(principal) && principal.operator
    const names = isPerson(principal) ? Object.keys(principal.roles) : [principal?.project ?? '']
    const rows = await listProjects(db, all ? null : names)
    return { items: rows.map((row) => projectView(row, principal)) }
  },

  createProject: async ({ body, principal, actor }, { db, clock }) => {
    const now = clock.now()
    const at = new Date(now)
    const root = rootOf(body.rootPublicKey)
    const keyset = verifyKeyset(body.keyset, { root, minVersion: 1, now, project: body.name })
    const envelope = JSON.stringify(body.keyset)
    await db.transaction().execute(async (trx) => {
      const made = await trx
        .insertInto('projects')
        .values({
          name: body.name,
          root_public_key: root.publicKey,
          root_key_id: root.id,
          keyset: envelope,
          keyset_version: keyset.version,
          created_at: at,
          created_by: actor,
        })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .returning('name')
        .executeTakeFirst()
      if (!made) throw exists(`a project ${body.name}`)
      const first = { project: body.name, version: keyset.version, digest: keysetDigest(body.keyset) }
      await trx
        .insertInto('keysets')
        .values({ ...first, envelope, put_at: at, put_by: actor })
        .execute()
      const channel = { project: body.name, name: 'stable', plan: JSON.stringify(defaultPlan), created_at: at }
      await trx.insertInto('channels').values(channel).execute()
      if (isPerson(principal)) {
        await trx.insertInto('members').values({ project: body.name, user_id: principal.id, role: 'admin' }).execute()
      }
      const message = `The project was created; its root key ${root.id.slice(0, 12)}… is pinned.`
      const entry = { project: body.name, deployment: null, type: 'project.created', actor, message, at: now }
      await appendAudit(trx, [{ ...entry, data: { rootKey: root.id, keyset: keyset.version } }])
    })
    return { ...(await view(db, body.name, principal)), role: 'admin' }
  },

  getProject: async ({ params, principal }, { db }) => view(db, params.project, principal),

  deleteProject: async ({ params, actor }, { db, clock }) => {
    await db.transaction().execute(async (trx) => {
      await lockProject(trx, params.project)
      const left = await trx
        .selectFrom('deployments')
        .select('name')
        .where('project', '=', params.project)
        .where('deleted_at', 'is', null)
        .limit(1)
        .executeTakeFirst()
      if (left) throw conflict(`The project still has deployments, such as ${left.name}.`, 'Destroy them first.')
      await trx.deleteFrom('deployments').where('project', '=', params.project).execute()
      await trx.deleteFrom('rollouts').where('project', '=', params.project).execute()
      await trx.deleteFrom('releases').where('project', '=', params.project).execute()
      await trx.deleteFrom('projects').where('name', '=', params.project).execute()
      const message = 'The project was deleted.'
      const entry = { project: params.project, deployment: null, type: 'project.deleted', actor, message }
      await appendAudit(trx, [{ ...entry, at: clock.now() }])
    })
    return undefined
  },

  getKeyset: async ({ params }, { db }) => {
    const row = await findProject(db, params.project)
    return { rootPublicKey: row.root_public_key, envelope: row.keyset }
  },

  putKeyset: async ({ params, body, actor }, { db, clock }) => {
    const now = clock.now()
    const version = await db.transaction().execute(async (trx) => {
      const row = await lockProject(trx, params.project)
      const root = { id: row.root_key_id, publicKey: row.root_public_key }
      const minVersion = row.keyset_version + 1
      const digest = keysetDigest(body.envelope)
      // Put again what is in force already: the same answer.
      if (digest === keysetDigest(row.keyset)) return row.keyset_version
      const keyset = verifyKeyset(body.envelope, { root, minVersion, now, project: params.project })
      const envelope = JSON.stringify(body.envelope)
      const next = { project: params.project, version: keyset.version, digest, envelope }
      await trx
        .insertInto('keysets')
        .values({ ...next, put_at: new Date(now), put_by: actor })
        .execute()
      await trx
        .updateTable('projects')
        .set({ keyset: envelope, keyset_version: keyset.version })
        .where('name', '=', params.project)
        .execute()
      const message = `The keyset has version ${keyset.version} now, with ${keyset.keys.length} keys.`
      const entry = { project: params.project, deployment: null, type: 'keyset.replaced', actor, message, at: now }
      await appendAudit(trx, [{ ...entry, data: { version: keyset.version, digest } }])
      return keyset.version
    })
    return { version }
  },
} satisfies Partial<Handlers>

async function view(
  db: Parameters<typeof listProjects>[0],
  name: string,
  principal: Parameters<typeof projectView>[1],
) {
  const [row] = await listProjects(db, [name])
  if (!row) throw notFound(`project ${name}`)
  return projectView(row, principal)
}

/** The root's id is the digest of the key, so that nobody can claim another's. */
function rootOf(publicKey: string): { id: string; publicKey: string } {
  const der = Buffer.from(publicKey, 'base64')
  if (der.byteLength === 44 && der.toString('base64') === publicKey) return { id: keyIdOf(der), publicKey }
  throw new LandfallError({
    code: 'E_KEY_FILE',
    message: 'The root key is not an Ed25519 public key as SPKI DER in base64.',
    hint: 'Take it from `landfall keys show`.',
  })
}

import {
  type ReleaseEnvelope,
  type ReleaseStatement,
  releaseDigest,
  releaseSigners,
  verifyKeyset,
  verifyRelease,
} from '@landfall/release'
import { LandfallError } from '@landfall/stack'
import { defaultPlan } from '../../api/default-plan.ts'
import { appendAudit } from '../../audit/append-audit.ts'
import { publishChanges } from '../../changes/publish-changes.ts'
import { lockProject } from '../accounts/projects.ts'
import { missingBlobs } from '../blobs/blobs.ts'
import type { Trx } from '../database.ts'
import type { SignedBy } from '../tables/releases.ts'
import { setUpFirst } from './set-up-first.ts'

/**
 * Takes a signed release in: proved against the project's keyset, all of its artifacts here, newer than every release
 * before it, its version not used yet. Publishing the same release again changes nothing, so an answer that was lost can be
 * asked for again. A channel that does not exist yet is made with the default plan.
 *
 * @throws LandfallError those of `verifyRelease` and `verifyKeyset`; `E_ARTIFACT_MISSING`, `E_SEQUENCE_OLDER`, `E_RELEASE_EXISTS`
 */
export async function publishRelease(
  trx: Trx,
  publication: { project: string; envelope: ReleaseEnvelope; actor: string; at: number },
): Promise<{ digest: string; statement: ReleaseStatement; fresh: boolean }> {
  const { project, envelope, actor } = publication
  const at = new Date(publication.at)
  const row = await lockProject(trx, project)
  const root = { id: row.root_key_id, publicKey: row.root_public_key }
  const now = publication.at
  const keyset = verifyKeyset(row.keyset, { root, minVersion: row.keyset_version, now, project })
  const trust = ['vendor', 'manager', 'agent'] as const
  const statement = verifyRelease(envelope, { keyset, trust, project, now })
  const digest = releaseDigest(envelope)
  const same = await trx
    .selectFrom('releases')
    .select('digest')
    .where('project', '=', project)
    .where('digest', '=', digest)
    .executeTakeFirst()
  if (same) return { digest, statement, fresh: false }
  await requireNew(trx, project, statement, row.last_sequence)
  await requireArtifacts(trx, project, statement)
  await trx
    .insertInto('channels')
    .values({ project, name: statement.channel, plan: JSON.stringify(defaultPlan), created_at: at })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  // By proof: the envelope's own key ids are only hints.
  const signedBy: SignedBy = releaseSigners(envelope, keyset)
  await trx
    .insertInto('releases')
    .values({
      project,
      digest,
      version: statement.version,
      channel: statement.channel,
      sequence: statement.sequence,
      envelope: JSON.stringify(envelope),
      statement: JSON.stringify(statement),
      signed_by: JSON.stringify(signedBy),
      created_at: new Date(statement.createdAt),
      published_at: at,
      published_by: actor,
    })
    .execute()
  await trx.updateTable('projects').set({ last_sequence: statement.sequence }).where('name', '=', project).execute()
  await setUpFirst(trx, { project, channel: statement.channel, digest })
  await publishChanges(trx, [{ project, kind: 'release', id: digest, at: now }])
  const message = `Release ${statement.version} was published in the channel ${statement.channel}.`
  const data = { digest, sequence: statement.sequence, signedBy }
  await appendAudit(trx, [{ project, deployment: null, type: 'release.published', actor, message, data, at: now }])
  return { digest, statement, fresh: true }
}

async function requireNew(trx: Trx, project: string, statement: ReleaseStatement, last: number): Promise<void> {
  const taken = await trx
    .selectFrom('releases')
    .select('digest')
    .where('project', '=', project)
    .where('version', '=', statement.version)
    .executeTakeFirst()
  if (taken) {
    throw new LandfallError({
      code: 'E_RELEASE_EXISTS',
      message: `There is a release ${statement.version} already, with other content.`,
      hint: 'A version is used once. Give the new release another version.',
    })
  }
  if (statement.sequence > last) return
  throw new LandfallError({
    code: 'E_SEQUENCE_OLDER',
    message: `The release has sequence ${statement.sequence}; the project has published sequence ${last} already.`,
    hint: 'Build it again: `landfall release` asks for the next sequence. Another release may have been published meanwhile.',
  })
}

async function requireArtifacts(trx: Trx, project: string, statement: ReleaseStatement): Promise<void> {
  const { artifacts, sbom } = statement
  const needed = [...artifacts, ...(sbom ? [{ ...sbom, resource: 'sbom' }] : [])]
  const digests = needed.map((artifact) => artifact.digest)
  const missing = await missingBlobs(trx, project, digests)
  if (missing.length === 0) return
  throw new LandfallError({
    code: 'E_ARTIFACT_MISSING',
    message: `${missing.length} of the ${digests.length} artifacts of the release were not uploaded.`,
    hint: 'Upload them first (PUT …/blobs/DIGEST), then publish again.',
    problems: needed
      .filter((artifact) => missing.includes(artifact.digest))
      .map((artifact) => ({ path: `artifacts.${artifact.resource}`, message: `${artifact.digest} is not here` })),
  })
}

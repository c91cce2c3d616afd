import type { release as releaseSchema } from '@landfall/contract'
import { sql } from 'kysely'
import type { z } from 'zod'
import type { Database } from '../../store/database.ts'

/** What a release view needs, with who runs it and its newest rollout. */
export function releaseRows(db: Database, project: string) {
  return db
    .selectFrom('releases')
    .select([
      'releases.digest',
      'releases.version',
      'releases.channel',
      'releases.sequence',
      'releases.created_at',
      'releases.published_at',
      'releases.published_by',
      'releases.signed_by',
    ])
    .select([
      sql<Record<string, unknown>>`releases.statement -> 'provenance'`.as('provenance'),
      sql<z.output<typeof releaseSchema>['artifacts']>`releases.statement -> 'artifacts'`.as('artifacts'),
      sql<number>`(select count(*) from deployments d where d.project = releases.project and d.deleted_at is null
        and d.actual_release = releases.digest)`.as('running'),
      sql<number>`(select count(*) from deployments d where d.project = releases.project and d.deleted_at is null
        and d.target_release = releases.digest and d.actual_release is distinct from releases.digest
        and d.phase in ('pending', 'setting-up', 'updating', 'needs-setup'))`.as('arriving'),
      sql<string | null>`(select r.id from rollouts r where r.project = releases.project and r.release = releases.digest
        order by r.created_at desc limit 1)`.as('rollout'),
    ])
    .where('releases.project', '=', project)
}

type Row = Awaited<ReturnType<ReturnType<typeof releaseRows>['execute']>>[number]

export function releaseView(row: Row): z.output<typeof releaseSchema> {
  return {
    digest: row.digest,
    version: row.version,
    channel: row.channel,
    sequence: row.sequence,
    createdAt: row.created_at.toISOString(),
    publishedAt: row.published_at.toISOString(),
    publishedBy: row.published_by,
    signedBy: [...row.signed_by],
    provenance: row.provenance,
    artifacts: row.artifacts,
    running: row.running,
    arriving: row.arriving,
    rollout: row.rollout,
  }
}

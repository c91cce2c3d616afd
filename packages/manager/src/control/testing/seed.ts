import { digestOf } from '@landfall/stack'
import type { Insertable } from 'kysely'
import type { Database, Schema } from '../../store/database.ts'

const at = new Date(Date.UTC(2026, 10, 21))
const policy = { drift: 'report', windowClose: 'finish', trustedKeys: ['vendor'], telemetry: 'on' } as const

/** For tests: a project with a channel `stable`, without keys. */
export async function seedProject(db: Database, name: string): Promise<void> {
  await db
    .insertInto('projects')
    .values({
      name,
      root_public_key: 'none',
      root_key_id: 'none',
      keyset: '{}',
      keyset_version: 1,
      created_at: at,
      created_by: 'test',
    })
    .execute()
  const plan = { waves: [{ name: 'all', share: 100, soak: '0s' }] }
  await db
    .insertInto('channels')
    .values({ project: name, name: 'stable', plan: JSON.stringify(plan), created_at: at })
    .execute()
}

type Given = Partial<Omit<Insertable<Schema['deployments']>, 'policy' | 'environment' | 'id' | 'project'>>

/** For tests: a local push deployment that follows `stable`, with an empty config. */
export async function seedDeployment(
  db: Database,
  deployment: Given & { id: string; project: string; policy?: object; environment?: object },
): Promise<void> {
  const document = { inputs: {}, secrets: {}, bindings: {} }
  const config = digestOf(document)
  await db
    .insertInto('deployments')
    .values({
      name: deployment.id,
      channel: 'stable',
      platform: 'local',
      model: 'push',
      prefix: deployment.id,
      created_at: at,
      created_by: 'test',
      config,
      ...deployment,
      environment: JSON.stringify(deployment.environment ?? {}),
      policy: JSON.stringify({ ...policy, ...deployment.policy }),
    })
    .execute()
  await db
    .insertInto('configs')
    .values({
      deployment: deployment.id,
      digest: config,
      document: JSON.stringify(document),
      created_at: at,
      created_by: 'test',
    })
    .execute()
}

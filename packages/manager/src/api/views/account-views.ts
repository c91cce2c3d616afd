import type { project as projectSchema, token as tokenSchema, user as userSchema } from '@landfall/contract'
import type { Selectable } from 'kysely'
import type { z } from 'zod'
import { isPerson, type Principal, roleIn } from '../../http/principal.ts'
import type { ProjectsTable, TokensTable, UsersTable } from '../../store/tables/accounts.ts'

type UserRow = Pick<Selectable<UsersTable>, 'id' | 'email' | 'name' | 'operator' | 'created_at' | 'last_seen_at'>
/** Columns that a user view needs; the password is not among them. */
export const userColumns = [
  'users.id',
  'users.email',
  'users.name',
  'users.operator',
  'users.created_at',
  'users.last_seen_at',
] as const

export function userView(row: UserRow): z.output<typeof userSchema> {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    operator: row.operator,
    createdAt: row.created_at.toISOString(),
    lastSeenAt: row.last_seen_at?.toISOString() ?? null,
  }
}

export function tokenView(row: Selectable<TokensTable>): z.output<typeof tokenSchema> {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    prefix: row.prefix,
    project: row.project,
    deployment: row.deployment,
    createdAt: row.created_at.toISOString(),
    createdBy: row.created_by,
    expiresAt: row.expires_at.toISOString(),
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    revokedAt: row.revoked_at?.toISOString() ?? null,
  }
}

type ProjectRow = Pick<Selectable<ProjectsTable>, 'name' | 'created_at' | 'root_key_id' | 'keyset_version'>

export function projectView(
  row: ProjectRow & { deployments: number },
  principal: Principal | null,
): z.output<typeof projectSchema> {
  return {
    name: row.name,
    createdAt: row.created_at.toISOString(),
    rootKey: row.root_key_id,
    keyset: row.keyset_version,
    deployments: row.deployments,
    role: isPerson(principal) ? roleIn(principal, row.name) : null,
  }
}

import type { Role, TokenKind } from '@landfall/contract'
import type { KeysetEnvelope } from '@landfall/release'
import type { Default, Json, Nullable, NullableJson } from './columns.ts'

/** `n`, `r`, `p` are scrypt's parameters; salt and hash in base64. */
export interface PasswordHash {
  n: number
  r: number
  p: number
  salt: string
  hash: string
}

export interface UsersTable {
  id: string
  email: string
  name: string
  operator: Default<boolean>
  password: NullableJson<PasswordHash>
  created_at: Date
  last_seen_at: Nullable<Date>
  removed_at: Nullable<Date>
}
export interface SessionsTable {
  hash: Buffer
  user_id: string
  created_at: Date
  last_seen_at: Date
  expires_at: Date
}
export interface InvitationsTable {
  hash: Buffer
  user_id: Nullable<string>
  created_at: Date
  expires_at: Date
  used_at: Nullable<Date>
}
export interface OidcLoginsTable {
  state: Buffer
  nonce: string
  verifier: string
  return_to: string
  expires_at: Date
}
export interface ProjectsTable {
  name: string
  root_public_key: string
  root_key_id: string
  keyset: Json<KeysetEnvelope>
  keyset_version: number
  last_sequence: Default<number>
  created_at: Date
  created_by: string
}
export interface KeysetsTable {
  project: string
  version: number
  digest: string
  envelope: Json<KeysetEnvelope>
  put_at: Date
  put_by: string
}
export interface MembersTable {
  project: string
  user_id: string
  role: Role
}
export interface TokensTable {
  id: string
  hash: Buffer
  kind: TokenKind
  name: string
  prefix: string
  project: Nullable<string>
  deployment: Nullable<string>
  user_id: Nullable<string>
  created_at: Date
  created_by: string
  expires_at: Date
  last_used_at: Nullable<Date>
  revoked_at: Nullable<Date>
}
export interface DataKeysTable {
  id: string
  purpose: 'seal' | 'hash'
  wrapped: Buffer
  master_key: string
  created_at: Date
}
export interface IdempotencyKeysTable {
  principal: string
  key: string
  request_hash: Buffer
  status: Nullable<number>
  response: Nullable<Buffer>
  claimed_at: Date
  expires_at: Date
}

import type { fleetPlan } from '@landfall/contract'
import type { ReleaseEnvelope, ReleaseStatement } from '@landfall/release'
import type { z } from 'zod'
import type { Default, Json } from './columns.ts'

/** A fleet plan as the contract writes it: durations as text. */
export type StoredPlan = z.output<typeof fleetPlan>
export type SignedBy = readonly { keyid: string; kind: 'vendor' | 'manager' | 'agent' }[]

export interface BlobUploadsTable {
  id: string
  started_at: Date
}
export interface BlobChunksTable {
  upload: string
  number: number
  bytes: Buffer
}
export interface BlobsTable {
  project: string
  digest: string
  size: number
  upload: string
  created_at: Date
}
export interface ChannelsTable {
  project: string
  name: string
  description: Default<string>
  plan: Json<StoredPlan>
  created_at: Date
}
export interface ReleasesTable {
  project: string
  digest: string
  version: string
  channel: string
  sequence: number
  envelope: Json<ReleaseEnvelope>
  statement: Json<ReleaseStatement>
  signed_by: Json<SignedBy>
  created_at: Date
  published_at: Date
  published_by: string
}

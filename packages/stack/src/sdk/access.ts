import type { Grant } from '../manifest/resources.ts'

export type AccessKind = Grant['access'][number]

/** What `uses` lists: made by a resource (`uploads.read()`), never written by hand. */
export interface Access {
  readonly resource: string
  readonly access: readonly AccessKind[]
}

/** Access to the resource of that name. */
export const access = (resource: string, ...kinds: AccessKind[]): Access => ({ resource, access: kinds })

import type { Manifest } from '../manifest/manifest.ts'
import type { ComputeResource } from '../manifest/resources.ts'

/** The workers and containers of a manifest. */
export const computeOf = (manifest: Pick<Manifest, 'resources'>): ComputeResource[] =>
  manifest.resources.filter((one): one is ComputeResource => one.type === 'worker' || one.type === 'container')

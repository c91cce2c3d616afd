import type { ComputeResource, Manifest, Resource } from '@landfall/stack'

/** Workers and containers: what has versions side by side. */
export function isCompute(resource: Resource): resource is ComputeResource {
  return resource.type === 'worker' || resource.type === 'container'
}

/** The workers and containers that releases manage. */
export function liveCompute(manifest: Manifest): ComputeResource[] {
  return manifest.resources.filter(isCompute).filter((resource) => resource.lifecycle === 'live')
}

/** Whether cron or storage events start it: these go to one version at a time. */
export function hasPointedTriggers(resource: ComputeResource): boolean {
  return resource.type === 'worker' && resource.triggers.some((trigger) => trigger.kind !== 'queue')
}

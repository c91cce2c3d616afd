import type { Problem } from '../errors/landfall-error.ts'
import type { Manifest } from '../manifest/manifest.ts'
import type { PlatformName } from '../manifest/names.ts'
import type { Resource } from '../manifest/resources.ts'

/** Resources without an equivalent on a platform that the stack lists, with the reason. */
export function checkPlatforms(manifest: Manifest): Problem[] {
  return manifest.resources.flatMap((resource) =>
    manifest.platforms.flatMap((platform) => {
      const reason = unsupported(resource, platform)
      if (!reason) return []
      return [{ path: `resources.${resource.name}`, message: `${reason}, or leave ${platform} out of platforms` }]
    }),
  )
}

/** Why a resource can't be on a platform and what to do; undefined when it can. The table is in the README. */
export function unsupported(resource: Resource, platform: PlatformName): string | undefined {
  switch (resource.type) {
    case 'manifests':
      if (platform === 'kubernetes') return undefined
      return `is Kubernetes objects, which ${platform} has no place for: deliver it only to kubernetes`
    case 'postgres':
      if (platform === 'kubernetes' || platform === 'local') return undefined
      return `is a PostgreSQL database, which Landfall does not make on ${platform} yet: give its address as a secret`
    case 'container':
      if (platform === 'aws') return 'is a container, which Landfall does not run on aws yet (later: ECS): use a worker'
      return unsupportedImage(resource.code.kind === 'image', platform)
    case 'worker':
      if (platform === 'aws' && resource.code.kind === 'image') {
        return 'is a worker given as an image, which Landfall does not run on aws yet: give its source'
      }
      return unsupportedImage(resource.code.kind === 'image', platform)
    default:
      return undefined
  }
}

const unsupportedImage = (image: boolean, platform: PlatformName) =>
  image && platform === 'local' ? 'is given as an image, but local runs processes: give its source' : undefined

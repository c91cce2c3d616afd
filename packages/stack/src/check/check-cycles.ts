import type { Problem } from '../errors/landfall-error.ts'
import type { Manifest } from '../manifest/manifest.ts'
import { dependenciesOf } from '../order/dependencies.ts'
import { layersOf } from '../order/dependency-order.ts'

/** Circles of dependencies. Of circles that share a resource one is named; the others show when it is gone. */
export function checkCycles(manifest: Manifest): Problem[] {
  // A grant to itself is told by the check of grants.
  const dependencies = new Map(
    manifest.resources.map((one) => [one.name, dependenciesOf(one).filter((name) => name !== one.name)]),
  )
  const unvisited = new Set(layersOf(manifest).stuck)
  const problems: Problem[] = []
  for (const start of [...unvisited]) {
    const path: string[] = []
    // Each that is stuck has a dependency that is stuck, so following them ends in a circle.
    for (let at: string | undefined = start; at !== undefined && unvisited.has(at); ) {
      unvisited.delete(at)
      path.push(at)
      const next: readonly string[] = dependencies.get(at) ?? []
      const back = next.find((name) => path.includes(name))
      if (back !== undefined) {
        const circle = [...path.slice(path.indexOf(back)), back].join(' → ')
        const message = `depends on itself: ${circle}. Take one of these grants out, for example by sending through a queue`
        problems.push({ path: `resources.${back}`, message })
        break
      }
      at = next.find((name) => unvisited.has(name))
    }
  }
  return problems
}

import { LandfallError } from '../errors/landfall-error.ts'
import type { Manifest } from '../manifest/manifest.ts'
import { dependenciesOf } from './dependencies.ts'

export interface Order {
  /** Names by layer: each depends only on layers before its own. Sorted within a layer. */
  layers: string[][]
  /** Names that are in a cycle, or depend on one; empty when there is none. */
  stuck: string[]
}

/** Kahn's algorithm by layers. Dependencies that the manifest does not have are ignored. */
export function layersOf(manifest: Pick<Manifest, 'resources'>): Order {
  const waiting = new Map(manifest.resources.map((one) => [one.name, dependenciesOf(one)]))
  const layers: string[][] = []
  while (waiting.size > 0) {
    const layer = [...waiting.keys()].filter((name) => waiting.get(name)?.every((one) => !waiting.has(one))).sort()
    if (layer.length === 0) return { layers, stuck: [...waiting.keys()].sort() }
    layers.push(layer)
    for (const name of layer) waiting.delete(name)
  }
  return { layers, stuck: [] }
}

/**
 * Names of all resources in the order in which they are made, by layer; deletion goes backwards.
 * @throws LandfallError `E_STACK_INVALID` on a cycle, which no manifest from `compileStack` or `parseManifest` has.
 */
export function dependencyOrder(manifest: Pick<Manifest, 'resources'>): string[][] {
  const { layers, stuck } = layersOf(manifest)
  if (stuck.length === 0) return layers
  throw new LandfallError({
    code: 'E_STACK_INVALID',
    message: `The resources ${stuck.join(', ')} depend on each other in a circle.`,
    hint: 'Take one grant out of the circle, for example by sending through a queue instead of calling.',
  })
}

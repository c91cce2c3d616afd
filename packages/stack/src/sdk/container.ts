import { type Access, access } from './access.ts'
import { type CodeOptions, type ComputeOptions, compileCompute, mentionedSecrets } from './compute.ts'
import type { Definition } from './definition.ts'

export interface ContainerOptions extends ComputeOptions {
  /** Where it listens. */
  port: number
}

export interface ContainerDefinition extends Definition<'container'> {
  invoke(): Access
}

/** A server that runs as it is, and listens on a port. */
export function container(name: string, options: ContainerOptions & CodeOptions): ContainerDefinition {
  return {
    type: 'container',
    name,
    mentions: mentionedSecrets(options),
    compile: (context) => compileCompute('container', name, options, context),
    invoke: () => access(name, 'invoke'),
  }
}

import { type Access, access } from './access.ts'
import type { BaseOptions, Definition } from './definition.ts'

export interface SecretOptions extends BaseOptions {
  /** Who gives the value: the vendor, the customer, or nobody (`generated`: random, made in the environment). */
  providedBy: 'vendor' | 'customer' | 'generated'
}

export interface SecretDefinition extends Definition<'secret'> {
  read(): Access
}

/** A sealed, versioned value. In a worker's `secrets` it may be read by the code; in `env` it becomes a variable. */
export function secret(name: string, options: SecretOptions): SecretDefinition {
  return {
    type: 'secret',
    name,
    mentions: [],
    compile: () => ({ type: 'secret', name, lifecycle: 'live', ...options }),
    read: () => access(name, 'read'),
  }
}

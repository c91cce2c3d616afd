import { type Access, access } from './access.ts'
import type { BaseOptions, Definition } from './definition.ts'

export interface PostgresOptions extends BaseOptions {
  /** Major version, such as `17`. */
  version?: string
}

export interface PostgresDefinition extends Definition<'postgres'> {
  connect(): Access
}

/** A PostgreSQL database: bound from the Helm values on Kubernetes, started on local. */
export function postgres(name: string, options: PostgresOptions = {}): PostgresDefinition {
  return {
    type: 'postgres',
    name,
    mentions: [],
    compile: () => ({ type: 'postgres', name, lifecycle: 'frozen', ...options }),
    connect: () => access(name, 'connect'),
  }
}

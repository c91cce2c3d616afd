import type { Trigger } from '../manifest/resources.ts'
import { type Access, access } from './access.ts'
import type { BaseOptions, Definition } from './definition.ts'

export interface StorageDefinition extends Definition<'storage'> {
  read(): Access
  write(): Access
  readWrite(): Access
  /** Trigger: an object was written. */
  created(options?: { prefix?: string }): Trigger
  /** Trigger: an object was deleted. */
  deleted(options?: { prefix?: string }): Trigger
  /** Trigger: an object was written or deleted. */
  changed(options?: { prefix?: string }): Trigger
}

/** Whole objects under keys, with ETag preconditions. On Kubernetes it is bound from the Helm values, elsewhere made at setup. */
export function storage(name: string, options: BaseOptions = {}): StorageDefinition {
  const trigger = (events: ('created' | 'deleted')[], prefix = ''): Trigger => ({
    kind: 'storage',
    storage: name,
    events,
    prefix,
  })
  return {
    type: 'storage',
    name,
    mentions: [],
    compile: () => ({ type: 'storage', name, lifecycle: 'frozen', ...options }),
    read: () => access(name, 'read'),
    write: () => access(name, 'write'),
    readWrite: () => access(name, 'read', 'write'),
    created: ({ prefix } = {}) => trigger(['created'], prefix),
    deleted: ({ prefix } = {}) => trigger(['deleted'], prefix),
    changed: ({ prefix } = {}) => trigger(['created', 'deleted'], prefix),
  }
}

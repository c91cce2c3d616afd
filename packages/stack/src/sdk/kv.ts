import { type Access, access } from './access.ts'
import type { BaseOptions, Definition } from './definition.ts'

export interface KvDefinition extends Definition<'kv'> {
  read(): Access
  write(): Access
  readWrite(): Access
}

/** Collections of keys with values up to 64 KiB, TTL enforced on read, compare-and-set by version. */
export function kv(name: string, options: BaseOptions = {}): KvDefinition {
  return {
    type: 'kv',
    name,
    mentions: [],
    compile: () => ({ type: 'kv', name, lifecycle: 'frozen', ...options }),
    read: () => access(name, 'read'),
    write: () => access(name, 'write'),
    readWrite: () => access(name, 'read', 'write'),
  }
}

import { RuntimeError } from '../errors/runtime-error.ts'

/** Longest keys, in bytes of UTF-8: what the strictest platform can hold once it is encoded there. */
export const maxKeyBytes = { storage: 1024, kv: 512, collection: 128 } as const

/**
 * A key as one segment of a path. Any Unicode text is a key, with slashes and dots too; `.` and `..` alone are not, because
 * neither URLs nor Cloud Storage and Firestore can hold them.
 * @throws RuntimeError `E_BINDING_KEY`
 */
export function encodeKey(key: string, kind: keyof typeof maxKeyBytes): string {
  const refuse = (what: string) =>
    new RuntimeError({
      code: 'E_BINDING_KEY',
      message: `The ${kind === 'collection' ? 'collection' : `${kind} key`} ${what}.`,
      hint: `Use a text of 1 to ${maxKeyBytes[kind]} bytes that is neither "." nor "..".`,
    })
  if (key === '') throw refuse('is empty')
  if (key === '.' || key === '..') throw refuse(`is "${key}"`)
  if (!key.isWellFormed()) throw refuse('holds a lone surrogate')
  const bytes = Buffer.byteLength(key)
  if (bytes > maxKeyBytes[kind]) throw refuse(`has ${bytes} bytes`)
  return encodeURIComponent(key)
}

/** A prefix of keys for a listing; may be empty. */
export function encodePrefix(prefix: string): string {
  return prefix.toWellFormed()
}

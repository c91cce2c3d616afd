import type { InputDefinition } from '../manifest/manifest.ts'

/** An input of the stack: list it in `inputs`, use it as a value in `env`. */
export interface Input<T extends InputDefinition['type'] = InputDefinition['type']> {
  readonly kind: 'input'
  readonly definition: Readonly<Record<string, unknown>> & { readonly type: T }
}
export type AnyInput = Input

interface Common<V> {
  providedBy: 'vendor' | 'customer'
  /** What it is for, in the words of whoever gives it. */
  description?: string
  default?: V
  /** Whether a deployment can't run without it. An input with a default never lacks a value. */
  required?: boolean
}

const define = <T extends InputDefinition['type']>(type: T, options: object): Input<T> => ({
  kind: 'input',
  definition: { ...options, type },
})

/** Typed values that the vendor or the customer gives per deployment. Secrets are `secret()`, never inputs. */
export const input = {
  /** `pattern`: an RE2-compatible expression that the whole text must match. */
  string: (options: Common<string> & { pattern?: string }): Input<'string'> => define('string', options),
  number: (options: Common<number> & { minimum?: number; maximum?: number }): Input<'number'> =>
    define('number', options),
  integer: (options: Common<number> & { minimum?: number; maximum?: number }): Input<'integer'> =>
    define('integer', options),
  boolean: (options: Common<boolean>): Input<'boolean'> => define('boolean', options),
  enum: <const V extends string>(values: readonly V[], options: Common<NoInfer<V>>): Input<'enum'> =>
    define('enum', { ...options, values: [...values] }),
}

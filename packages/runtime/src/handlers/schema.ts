import { type Schema, Validator } from '@cfworker/json-schema'

/** The interface that schema libraries share (zod, valibot, arktype): https://standardschema.dev. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    validate(value: unknown): StandardResult<Output> | Promise<StandardResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}
type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] }

/** A schema of a library, or JSON Schema (2020-12). */
export type AnySchema<Output = unknown> = StandardSchema<Output> | Readonly<Record<string, unknown>>

/** The value as the schema gives it, or what is wrong with it (never the value itself). */
export type Checker = (value: unknown) => Promise<{ value: unknown } | { problem: string }>

export const acceptAnything: Checker = async (value) => ({ value })

export function checkerOf(schema: AnySchema): Checker {
  if ('~standard' in schema) return (value) => standard(schema as StandardSchema, value)
  const validator = new Validator(schema as Schema, '2020-12', false)
  return async (value) => {
    const result = validator.validate(value)
    if (result.valid) return { value }
    // The innermost error comes first and says what is wrong; the others repeat that something is.
    const first = result.errors.at(-1)
    return { problem: `${first?.instanceLocation ?? '#'} does not satisfy ${first?.keywordLocation ?? 'the schema'}` }
  }
}

async function standard(schema: StandardSchema, value: unknown): Promise<{ value: unknown } | { problem: string }> {
  const result = await schema['~standard'].validate(value)
  if (!result.issues) return { value: result.value }
  const problems = result.issues.map(({ path = [], message }) => {
    const keys = path.map((part) => String(part !== null && typeof part === 'object' ? Reflect.get(part, 'key') : part))
    return `${['#', ...keys].join('/')}: ${message}`
  })
  return { problem: problems.slice(0, 10).join('; ') }
}

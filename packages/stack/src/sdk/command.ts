import type { Duration } from './definition.ts'

/** A schema library's own type (zod 4.2 and newer, valibot, arktype): Standard JSON Schema, https://standardschema.dev. */
export interface StandardJsonSchema {
  readonly '~standard': {
    readonly jsonSchema: {
      input(options: { target: 'draft-2020-12' }): Record<string, unknown>
      output(options: { target: 'draft-2020-12' }): Record<string, unknown>
    }
  }
}
export type SchemaLike = StandardJsonSchema | Readonly<Record<string, unknown>>

export interface CommandOptions {
  description?: string
  /** Of the input: a zod schema, or JSON Schema (2020-12). Left out: the command takes no input. */
  input?: SchemaLike
  /** Of the result. */
  output?: SchemaLike
  /** Longest time from sending to the result. Default 60 s. */
  deadline?: Duration
}

/** A named remote call into a worker, with a schema, a deadline and a result. */
export interface Command {
  readonly description?: string
  readonly input: Record<string, unknown>
  readonly output?: Record<string, unknown>
  readonly deadline?: Duration
}

export function command(options: CommandOptions = {}): Command {
  const { description, deadline } = options
  return {
    input:
      options.input === undefined
        ? { type: 'object', additionalProperties: false }
        : toJsonSchema(options.input, 'input'),
    ...(options.output === undefined ? {} : { output: toJsonSchema(options.output, 'output') }),
    ...(description === undefined ? {} : { description }),
    ...(deadline === undefined ? {} : { deadline }),
  }
}

const isStandard = (schema: SchemaLike): schema is StandardJsonSchema => '~standard' in schema

function toJsonSchema(schema: SchemaLike, side: 'input' | 'output'): Record<string, unknown> {
  const json = isStandard(schema) ? schema['~standard'].jsonSchema[side]({ target: 'draft-2020-12' }) : schema
  // The dialect is fixed by the manifest, and would only make equal schemas differ.
  const { $schema: _, ...rest } = json
  return rest
}

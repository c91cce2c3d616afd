import type { Duration } from '../manifest/duration.ts'
import type { Lifecycle, ResourceType } from '../manifest/names.ts'
import type { AnyInput } from './input.ts'

/** What a definition may ask while it is compiled. */
export interface CompileContext {
  /** The name under which the stack lists this input; undefined when it does not. */
  inputName(input: AnyInput): string | undefined
}

/** A resource as the stack's author defines it. `compile` gives the manifest's form, not yet validated. */
export interface Definition<T extends ResourceType = ResourceType> {
  readonly type: T
  readonly name: string
  /** Secrets that the definition mentions; they belong to the stack without being listed again. */
  readonly mentions: readonly Definition<'secret'>[]
  compile(context: CompileContext): Readonly<Record<string, unknown>>
}

export interface BaseOptions {
  /** `frozen`: created at setup, afterwards only monitored. `live`: managed by releases. */
  lifecycle?: Lifecycle
  /** What it is for, in the customer's words: shown before a person approves. */
  description?: string
}

export type { Duration }

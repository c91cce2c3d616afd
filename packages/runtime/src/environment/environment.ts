import { RuntimeError } from '../errors/runtime-error.ts'
import type { Binding, WorkerEnvironment } from '../protocol.ts'

export type Variables = Readonly<Record<string, string | undefined>>

/** The part of the environment that bindings need. */
export interface BindingEnvironment {
  bindings: Readonly<Record<string, Binding>>
  token: string
}

/** @throws RuntimeError `E_NO_PLATFORM` when the process was not started by a platform. */
export function bindingEnvironment(variables: Variables): BindingEnvironment {
  return {
    bindings: parseBindings(required(variables, 'LANDFALL_BINDINGS')),
    token: required(variables, 'LANDFALL_TOKEN'),
  }
}

/** A variable that every platform sets. */
export function required(variables: Variables, name: keyof WorkerEnvironment): string {
  const value = variables[name]
  if (value !== undefined && value !== '') return value
  throw new RuntimeError({
    code: 'E_NO_PLATFORM',
    message: `The variable ${name} is not set, so this process was not started by a platform.`,
    hint: 'Run the worker with `landfall dev`, which gives it everything that it uses.',
  })
}

/** A positive number of milliseconds, or the default. */
export function milliseconds(variables: Variables, name: string, standard: number): number {
  const value = Number(variables[name])
  return Number.isFinite(value) && value > 0 ? value : standard
}

function parseBindings(json: string): Record<string, Binding> {
  try {
    const value: unknown = JSON.parse(json)
    // The platform wrote it, by the protocol's types; each binding still checks its own type and driver.
    if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value))
  } catch {
    // The text is left out of the error: addresses may carry passwords.
  }
  throw new RuntimeError({
    code: 'E_NO_PLATFORM',
    message: 'The variable LANDFALL_BINDINGS is not a JSON object.',
    hint: 'It is set by the platform: remove it from your own environment, and run the worker with `landfall dev`.',
  })
}

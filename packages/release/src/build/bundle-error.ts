import { LandfallError, type Problem } from '@landfall/stack'
import type { BuildFailure, Message } from 'esbuild'

/** Turns what the bundler found into one error that names every file and line. Throws nothing itself. */
export function bundleError(cause: unknown, options: { code: string; what: string; hint: string }): LandfallError {
  const problems = isBuildFailure(cause) ? cause.errors.map(problemOf) : []
  const first = problems[0]
  const detail = first ? `${first.path}: ${first.message}` : cause instanceof Error ? cause.message : String(cause)
  return new LandfallError({
    code: options.code,
    message: `${options.what} ${detail}`,
    hint: options.hint,
    problems,
    cause,
  })
}

function problemOf({ location, text }: Message): Problem {
  return { path: location ? `${location.file}:${location.line}:${location.column + 1}` : '(no file)', message: text }
}

function isBuildFailure(value: unknown): value is BuildFailure {
  return value instanceof Error && 'errors' in value && Array.isArray(value.errors)
}

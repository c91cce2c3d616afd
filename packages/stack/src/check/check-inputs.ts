import type { Problem } from '../errors/landfall-error.ts'
import { problemOfValue } from '../inputs/problem-of-value.ts'
import type { InputDefinition, Manifest } from '../manifest/manifest.ts'

/** Last words of a name that promise a secret. */
const secretWords = new Set(['secret', 'password', 'passwd', 'passphrase', 'token', 'credential', 'credentials'])
const secretEnds = /(^|-)(api|private|access|encryption|signing)-key$/

export function checkInputs(manifest: Manifest): Problem[] {
  return Object.entries(manifest.inputs).flatMap(([name, definition]) =>
    problemsOfInput(name, definition).map((message) => ({ path: `inputs.${name}`, message })),
  )
}

function problemsOfInput(name: string, definition: InputDefinition): string[] {
  const problems: string[] = []
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()
  if (secretWords.has(words.split('-').at(-1) ?? '') || secretEnds.test(words)) {
    problems.push(`sounds like a secret, and inputs are not sealed: use secret('${words}', …) instead, or rename it`)
  }
  if (definition.type === 'enum' && (definition.values ?? []).length === 0) {
    problems.push('is an enum without values: list them')
  }
  if (definition.type !== 'enum' && definition.values) problems.push('has values, which only an enum may have')
  const numeric = definition.type === 'number' || definition.type === 'integer'
  if (!numeric && (definition.minimum !== undefined || definition.maximum !== undefined)) {
    problems.push('has a minimum or maximum, which only numbers may have')
  }
  if (definition.minimum !== undefined && definition.maximum !== undefined && definition.minimum > definition.maximum) {
    problems.push('has a minimum above its maximum: swap them')
  }
  const pattern = definition.pattern === undefined ? undefined : problemOfPattern(definition.pattern)
  if (pattern) problems.push(pattern)
  if (definition.pattern !== undefined && definition.type !== 'string') {
    problems.push('has a pattern, which only a string may have')
  }
  if (definition.default !== undefined && problems.length === 0) {
    const wrong = problemOfValue(definition, definition.default)
    if (wrong) problems.push(`has a default that ${wrong}`)
  }
  return problems
}

/** RE2 has neither look-around nor back-references, which are also what makes a match take exponential time. */
function problemOfPattern(pattern: string): string | undefined {
  try {
    new RegExp(pattern, 'u')
  } catch {
    return 'has a pattern that is not a regular expression'
  }
  if (/\(\?<?[=!]|(?<!\\)(\\\\)*\\([1-9]|k<)/.test(pattern)) {
    return 'has a pattern with look-around or a back-reference, which RE2 does not know: write it without'
  }
  return undefined
}

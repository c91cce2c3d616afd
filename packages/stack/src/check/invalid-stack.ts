import { LandfallError, type Problem } from '../errors/landfall-error.ts'

/** One error for everything that is wrong with a stack, the first problem in its message. */
export function invalidStack(project: string, problems: readonly Problem[]): LandfallError {
  const [first] = problems
  const more = problems.length - 1
  return new LandfallError({
    code: 'E_STACK_INVALID',
    message: `The stack "${project}" has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}: ${first?.path}: ${first?.message}${more > 0 ? ` (and ${more} more)` : ''}`,
    hint: 'Correct each of the listed problems in landfall.config.ts and compile again.',
    subject: `stack:${project}`,
    problems,
  })
}

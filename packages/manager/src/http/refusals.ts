import { LandfallError } from '@landfall/stack'

/**
 * What is not there, and what the caller may not know to be there: the same words for both.
 *
 * @param what such as `deployment acme-eu`
 */
export function notFound(what: string): LandfallError {
  return new LandfallError({
    code: 'E_NOT_FOUND',
    message: `There is no ${what} that you can see.`,
    hint: 'Check its name, and that your account or token belongs to the project.',
  })
}

export function forbidden(needed: string): LandfallError {
  return new LandfallError({
    code: 'E_FORBIDDEN',
    message: `This needs ${needed}.`,
    hint: 'Ask an admin of the project for the role, or use another token.',
  })
}

/** A name that is taken. */
export function exists(what: string): LandfallError {
  return new LandfallError({
    code: 'E_EXISTS',
    message: `There is ${what} already.`,
    hint: 'Choose another name, or change the one that is there.',
  })
}

export function conflict(message: string, hint: string): LandfallError {
  return new LandfallError({ code: 'E_CONFLICT', message, hint })
}

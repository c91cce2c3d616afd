import { LandfallError } from '@landfall/stack'

/** An error as it crosses the control socket. */
export interface WireError {
  code: string
  message: string
  hint: string
  retryable: boolean
}

export function toWire(error: unknown): WireError {
  if (LandfallError.is(error)) {
    return { code: error.code, message: error.message, hint: error.hint, retryable: error.retryable }
  }
  return {
    code: 'E_HOST_INTERNAL',
    message: `The host failed: ${error instanceof Error ? error.message : String(error)}`,
    hint: "Read host.log in the environment's directory.",
    retryable: true,
  }
}

export function fromWire(wire: WireError): LandfallError {
  return new LandfallError(wire)
}

export function foreign(owner: string): LandfallError {
  return new LandfallError({
    code: 'E_FOREIGN',
    message: `This directory belongs to another deployment (${owner}).`,
    hint: 'Give each deployment a directory of its own.',
  })
}

export function accessRevoked(directory: string): LandfallError {
  return new LandfallError({
    code: 'E_ACCESS_REVOKED',
    message: `Access to ${directory} was taken away.`,
    hint: 'The customer gives it back by putting the file landfall-access there again.',
  })
}

export function preconditionFailed(what: string): LandfallError {
  return new LandfallError({
    code: 'E_PRECONDITION_FAILED',
    message: `${what} has changed since it was read.`,
    hint: 'Read it again and decide anew.',
    retryable: true,
  })
}

/** Between the look for it and its use the last version that named it went, or the daemon was started anew. */
export function artifactGone(digest: string): LandfallError {
  return new LandfallError({
    code: 'E_NOT_FOUND',
    message: `There is no artifact ${digest} on this host.`,
    hint: 'Bring it again.',
    retryable: true,
  })
}

export function notFound(what: string): LandfallError {
  return new LandfallError({ code: 'E_NOT_FOUND', message: `There is no ${what}.`, hint: 'It may be gone already.' })
}

/** A request that a binding refuses; becomes `{ code, message, hint }` with its status. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly hint: string

  constructor(status: number, code: string, message: string, hint: string) {
    super(message)
    this.status = status
    this.code = code
    this.hint = hint
  }
}

export const notGranted = (what: string) =>
  new Refusal(403, 'E_NOT_GRANTED', `This worker has not been granted ${what}.`, "Add it to the worker's `uses`.")
export const missing = (what: string) => new Refusal(404, 'E_NOT_FOUND', `There is no ${what}.`, 'Create it first.')
export const unmet = () =>
  new Refusal(412, 'E_PRECONDITION_FAILED', 'The precondition does not hold.', 'Read it again and decide anew.')
export const tooLarge = (what: string, limit: string) =>
  new Refusal(
    413,
    'E_TOO_LARGE',
    `${what} is larger than ${limit}.`,
    'Keep large content in storage, and pass its key.',
  )
export const badRequest = (message: string) =>
  new Refusal(400, 'E_BAD_REQUEST', message, "See the local platform's README for the bindings' addresses.")

import { randomBytes } from 'node:crypto'
import type { Digest } from '@landfall/stack'
import type { Sealer } from './secrets/seal.ts'
import type { HostStore } from './store/host-store.ts'

export interface TokenOwner {
  worker: string
  version: Digest
}

/** One bearer token per version of a worker: what its processes show to the bindings, and what they are invoked with. */
export class Tokens {
  readonly #sealer: Sealer
  readonly #owners = new Map<string, TokenOwner>()
  readonly #tokens = new Map<string, string>()

  constructor(store: HostStore, sealer: Sealer) {
    this.#sealer = sealer
    for (const { worker, row } of store.allVersions()) {
      this.#remember(worker, row.spec.id, sealer.open(row.token, context(worker, row.spec.id)))
    }
  }

  /** The version's token (a new one for a new version), sealed for the store. */
  sealed(worker: string, version: Digest): Uint8Array {
    const token = this.#tokens.get(context(worker, version)) ?? `lfw_${randomBytes(24).toString('base64url')}`
    this.#remember(worker, version, token)
    return this.#sealer.seal(token, context(worker, version))
  }

  of(worker: string, version: Digest): string {
    const token = this.#tokens.get(context(worker, version))
    if (token === undefined) throw new Error(`no token for ${worker} ${version}`)
    return token
  }

  owner(token: string): TokenOwner | null {
    return this.#owners.get(token) ?? null
  }

  forget(worker: string, version: Digest): void {
    const token = this.#tokens.get(context(worker, version))
    this.#tokens.delete(context(worker, version))
    if (token !== undefined) this.#owners.delete(token)
  }

  #remember(worker: string, version: Digest, token: string): void {
    this.#tokens.set(context(worker, version), token)
    this.#owners.set(token, { worker, version })
  }
}

function context(worker: string, version: Digest): string {
  return `token:${worker}:${version}`
}

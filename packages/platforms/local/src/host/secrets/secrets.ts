import { randomBytes } from 'node:crypto'
import { LandfallError } from '@landfall/stack'
import type { VersionSpec } from '../../shared/control.ts'
import type { HostStore } from '../store/host-store.ts'
import type { Sealer } from './seal.ts'

/** Secrets by name and version: sealed in the store, opened only for a worker that was granted them. */
export class Secrets {
  readonly #store: HostStore
  readonly #sealer: Sealer

  constructor(store: HostStore, sealer: Sealer) {
    this.#store = store
    this.#sealer = sealer
  }

  put(name: string, version: number, value: string): void {
    this.#store.putSecret(name, version, this.#sealer.seal(value, context(name, version)))
  }

  /** Makes a random value once; a second call keeps it. */
  generate(name: string): void {
    if (this.#store.secret(name, 1) === null) this.put(name, 1, randomBytes(32).toString('base64url'))
  }

  has(name: string, version: number): boolean {
    return this.#store.secret(name, version) !== null
  }

  fingerprint(name: string, version: number): string | null {
    const sealed = this.#store.secret(name, version)
    return sealed && this.#sealer.fingerprint(this.#sealer.open(sealed, context(name, version)))
  }

  /** The value as this version of the worker is to see it. */
  open(name: string, spec: VersionSpec): string {
    // What no config names a version of was generated here, and has one version.
    const version = spec.secrets[name] ?? 1
    const sealed = this.#store.secret(name, version)
    if (!sealed) {
      throw new LandfallError({
        code: 'E_SECRET_MISSING',
        message: `The secret ${name} has no value of version ${version} here.`,
        hint: `Set the secret ${name} for this deployment.`,
      })
    }
    return this.#sealer.open(sealed, context(name, version))
  }
}

function context(name: string, version: number): string {
  return `secret:${name}:${version}`
}

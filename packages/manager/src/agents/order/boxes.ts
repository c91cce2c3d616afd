import { sealTo } from '@landfall/release'
import { LandfallError } from '@landfall/stack'
import { sql } from 'kysely'
import type { Keyring } from '../../secrets/keyring.ts'
import type { Database, Trx } from '../../store/database.ts'
import { secretContext } from '../../store/secrets/set-secret.ts'

/** A version of a secret, and the public key of the agent that it is for. */
export interface Wanted {
  deployment: string
  name: string
  version: number
  key: string
}

/** As it is stored: the secret under a data key, and the box for that agent where one is kept. */
interface Stored {
  secret: Buffer
  box: Buffer | null
}

/** Reads the boxes of many secrets in one query; those that are not kept are sealed when they are asked for. */
export async function readBoxes(db: Database | Trx, keyring: Keyring, wanted: readonly Wanted[]): Promise<Boxes> {
  if (wanted.length === 0) return new Boxes(keyring, new Map())
  const { rows } = await sql<Stored & Omit<Wanted, 'key'>>`
    select s.deployment, s.name, s.version, s.sealed as secret, b.sealed as box
    from unnest(${wanted.map((one) => one.deployment)}::text[], ${wanted.map((one) => one.name)}::text[],
      ${wanted.map((one) => one.version)}::int[], ${wanted.map((one) => one.key)}::text[])
      as w (deployment, name, version, seal_key)
    join secrets s on s.deployment = w.deployment and s.name = w.name and s.version = w.version
    left join sealed_boxes b on b.deployment = w.deployment and b.name = w.name and b.version = w.version
      and b.seal_key = w.seal_key`.execute(db)
  return new Boxes(keyring, new Map(rows.map((row) => [secretContext(row.deployment, row.name, row.version), row])))
}

/** The secrets of some orders, each sealed to its agent (`sealTo`). */
export class Boxes {
  readonly #keyring: Keyring
  readonly #stored: ReadonlyMap<string, Stored>

  constructor(keyring: Keyring, stored: ReadonlyMap<string, Stored>) {
    this.#keyring = keyring
    this.#stored = stored
  }

  /** In base64. @throws LandfallError `E_SECRET_MISSING`, `E_SEAL_BROKEN` */
  take(wanted: Wanted): string {
    const context = secretContext(wanted.deployment, wanted.name, wanted.version)
    const stored = this.#stored.get(context)
    if (!stored) throw missingSecret(wanted.name)
    const kept = stored.box && openBox(this.#keyring, stored.box, wanted)
    return kept ?? makeBox(this.#keyring, stored.secret, wanted)
  }
}

/** A box in base64, made now. @throws LandfallError `E_SEAL_BROKEN` where the stored secret does not open */
export function makeBox(keyring: Keyring, secret: Buffer, { deployment, name, version, key }: Wanted): string {
  const context = secretContext(deployment, name, version)
  return sealTo(key, keyring.open(secret, context), context)
}

/** A box as it is kept: under a data key, bound to the secret's version and to the key of the agent. */
export function keptBox(keyring: Keyring, box: string, of: Wanted): Buffer {
  return keyring.seal(Buffer.from(box, 'base64'), boxContext(of))
}

/** Null where it is not the one that a manager put there: the secret itself says what is right. */
function openBox(keyring: Keyring, kept: Buffer, of: Wanted): string | null {
  try {
    return keyring.open(kept, boxContext(of)).toString('base64')
  } catch (error) {
    if (LandfallError.is(error, 'E_SEAL_BROKEN')) return null
    throw error
  }
}

function boxContext({ deployment, name, version, key }: Wanted): string {
  return `box:${key}:${secretContext(deployment, name, version)}`
}

function missingSecret(name: string): LandfallError {
  return new LandfallError({
    code: 'E_SECRET_MISSING',
    message: `The secret ${name} has no value in this config.`,
    hint: 'Set it, which makes a new target.',
  })
}

import type { Clock, Log, Random } from '@landfall/engine'
import type { Pool } from 'pg'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'
import type { Settings } from './settings.ts'

/** What handlers work with. Each room adds its own field; all are made once, in `serve/`. */
export interface Services {
  db: Database
  /** For LISTEN, which Kysely has no word for. */
  pool: Pool
  clock: Clock
  random: Random
  log: Log
  keyring: Keyring
  settings: Settings
}

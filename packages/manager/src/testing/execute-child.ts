import { setTimeout as sleep } from 'node:timers/promises'
import { startExecutor } from '../commands/executor.ts'
import { localMasterKey } from '../secrets/master-key.ts'
import { openKeyring } from '../secrets/open-keyring.ts'
import { openDatabase } from '../store/database.ts'

/** A manager that takes commands and never ends one: says which it has begun, until it is killed. */
const [url = '', masterKey = ''] = process.argv.slice(2)
const { db } = openDatabase(url)
startExecutor({
  db,
  keyring: await openKeyring(db, localMasterKey(Buffer.from(masterKey, 'hex')), Date.now()),
  clock: { now: () => Date.now(), sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}) },
  random: { next: Math.random },
  log: { info: () => {}, warn: (message, fields) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`) },
  invokerOf: () => ({
    invoke: (_, call, onOutput) => {
      onOutput('begun by the one that dies\n')
      process.stdout.write(`${call.id} ${call.attempt}\n`)
      return new Promise(() => {})
    },
  }),
  check: async () => {},
  leaseMs: 2_000,
  onChange: () => {},
  scope: { models: ['push'], platforms: ['local'] },
  owner: 'child',
  concurrency: 1,
  idleMs: 50,
})

import { Spool } from '../spool/spool.ts'
import { deriveSealer } from '../state/seal.ts'

/** Appends payloads that are numbers, and says each that was kept; after `count` it waits to be killed. */
const [directory = '', key = '', count = ''] = process.argv.slice(2)
const clock = { now: () => Date.now(), sleep: async () => {} }
const spool = new Spool({ directory, sealer: deriveSealer(Buffer.from(key, 'hex'), 'spool'), clock })
for (let i = 1; i <= Number(count); i++) {
  spool.append({ signal: 'logs', encoding: 'json', body: Buffer.from(String(i).padEnd(300)) })
  process.stdout.write(`${i}\n`)
}
setInterval(() => {}, 60_000)

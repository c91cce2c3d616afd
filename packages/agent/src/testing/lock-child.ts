import { takeLock } from '../lock.ts'

/** Holds the lock until it is killed. */
const [directory = ''] = process.argv.slice(2)
takeLock(directory)
process.stdout.write('locked\n')
setInterval(() => {}, 60_000)

import { rotateAgentKey } from '../state/data-key.ts'

/** Rotates the key and kills itself before the named step. */
const [directory = '', from = '', to = '', die = ''] = process.argv.slice(2)
rotateAgentKey(directory, Buffer.from(from, 'hex'), Buffer.from(to, 'hex'), (step) => {
  if (step === die) process.kill(process.pid, 'SIGKILL')
})

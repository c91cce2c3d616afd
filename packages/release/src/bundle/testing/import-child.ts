/** A process that imports a bundle and kills itself, by SIGKILL, once `killAt` bytes are verified or at a step of the commit. */
import { z } from 'zod'
import { importBundle } from '../import-bundle.ts'
import { BundleStore } from '../store/bundle-store.ts'

const task = z
  .object({
    file: z.string(),
    store: z.string(),
    /** Bytes; or the number of a moved blob in the commit. */
    killAt: z.number(),
    phase: z.enum(['copy', 'commit']),
    root: z.object({ id: z.string(), publicKey: z.string(), version: z.number() }),
    deployment: z.string(),
    now: z.number(),
  })
  .parse(JSON.parse(process.argv[2] ?? ''))

let moved = 0
await importBundle(task.file, await BundleStore.open(task.store), {
  root: task.root,
  minKeysetVersion: 1,
  project: 'acme',
  deployment: task.deployment,
  now: task.now,
  sequenceFloor: 1,
  onProgress({ phase, bytes }) {
    if (phase !== task.phase) return
    const at = phase === 'copy' ? bytes : ++moved
    if (at >= task.killAt) process.kill(process.pid, 'SIGKILL')
  },
})

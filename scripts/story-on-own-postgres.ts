import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removePostgres, startPostgres } from '@landfall/postgres'

/** Runs the story against a PostgreSQL that the manager did not start, named by `DATABASE_URL`. */
const directory = mkdtempSync(join(tmpdir(), 'landfall-own-postgres-'))
const server = await startPostgres({ directory })
const story = spawnSync(process.execPath, [join(import.meta.dirname, 'start.ts'), '--exit'], {
  stdio: 'inherit',
  env: { ...process.env, DATABASE_URL: server.url },
})
await server.stop()
await removePostgres(directory)
rmSync(directory, { recursive: true, force: true })
process.exit(story.status ?? 1)

import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Directories of a test file; `remove` at its end. */
export function scratch() {
  const root = mkdtempSync(join(tmpdir(), 'landfall-agent-'))
  let made = 0
  const path = () => join(root, `d${++made}`)
  return {
    path,
    copy: (from: string) => {
      const to = path()
      cpSync(from, to, { recursive: true })
      return to
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}

export const newKey = (): Buffer => randomBytes(32)

/** Bytes of every file of a directory. */
export function filesOf(directory: string): Record<string, string> {
  return Object.fromEntries(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'hex')]))
}

/** A clock that a test moves. */
export function handClock(start = Date.UTC(2026, 10, 21)) {
  let now = start
  return {
    now: () => now,
    sleep: async () => {},
    advance: (ms: number) => {
      now += ms
    },
  }
}

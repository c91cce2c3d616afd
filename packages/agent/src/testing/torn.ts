import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Pages of 512 bytes instead of 4096: the same journal, an eighth as long, so that every length of it can be tried. */
export function useSmallPages(file: string): void {
  const db = new DatabaseSync(file)
  db.exec('PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM; PRAGMA journal_mode = WAL')
  db.close()
}

/** A database and its journal as they lie on the disk while a process has them open, and where each commit ended in the journal. */
export interface Journal {
  /** Files beside them, such as the data key. */
  beside: Readonly<Record<string, Buffer>>
  name: string
  database: Buffer
  journal: Buffer
  /** Length of the journal after each commit; the first is 0: what is in the database itself. */
  ends: readonly number[]
}

/** Does `commits` one after the other, and keeps what is on the disk after the last. */
export function record(
  directory: string,
  name: string,
  beside: readonly string[],
  commits: readonly (() => void)[],
): Journal {
  const file = join(directory, name)
  const wal = `${file}-wal`
  const size = () => statSync(wal, { throwIfNoEntry: false })?.size ?? 0
  if (size() !== 0) throw new Error('the journal is to be empty at first')
  const ends = [0]
  for (const commit of commits) {
    commit()
    ends.push(size())
  }
  return {
    beside: Object.fromEntries(beside.map((each) => [each, readFileSync(join(directory, each))])),
    name,
    database: readFileSync(file),
    journal: readFileSync(wal),
    ends,
  }
}

/** The number of commits that a journal of this length holds whole. */
export const committed = ({ ends }: Journal, length: number): number => ends.findLastIndex((end) => end <= length)

/**
 * The lengths to try of a journal with pages of 512 bytes: all at and around each frame's head; of those within a page one in eight,
 * which ones changing from frame to frame. All of them with `LANDFALL_EVERY_BYTE=1`.
 */
export function* lengthsOf(length: number): Generator<number> {
  const frame = 24 + 512
  const all = process.env.LANDFALL_EVERY_BYTE === '1'
  for (let at = 0; at <= length; at++) {
    const inFrame = (at - 32 + frame) % frame
    if (all || at < 40 || inFrame < 28 || inFrame > frame - 4 || at > length - 16 || at % 8 === 0) yield at
  }
}

/** A directory that a journal is laid into again and again; in memory where there is such a place, for its fsyncs. */
export function tornDirectory() {
  const root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'landfall-torn-'))
  const directory = join(root, 'state')
  return {
    directory,
    /** @param memory what another process had mapped, where it is still there */
    lay: (of: Journal, journal: Buffer, memory?: Buffer) => {
      rmSync(directory, { recursive: true, force: true })
      mkdirSync(directory, { mode: 0o700 })
      for (const [name, content] of Object.entries(of.beside))
        writeFileSync(join(directory, name), content, { mode: 0o600 })
      writeFileSync(join(directory, of.name), of.database)
      writeFileSync(join(directory, `${of.name}-wal`), journal)
      if (memory) writeFileSync(join(directory, `${of.name}-shm`), memory)
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** What a write that was torn at `length` may leave behind it. */
export const tails = {
  /** Nothing: the file was not made longer. */
  none: (journal: Buffer, length: number) => journal.subarray(0, length),
  /** The length was on the disk, the content was not. */
  zeros: (journal: Buffer, length: number) =>
    Buffer.concat([journal.subarray(0, length), Buffer.alloc(journal.length - length)]),
  /** The journal was begun anew over an older one, whose bytes are still there. */
  older: (journal: Buffer, length: number, older: Buffer) =>
    Buffer.concat([journal.subarray(0, length), older.subarray(length)]),
}

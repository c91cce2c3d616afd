import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { deriveSealer } from '../state/seal.ts'
import { runChild } from '../testing/run-child.ts'
import { filesOf, handClock, newKey, scratch } from '../testing/scratch.ts'
import { type Payload, Spool, type SpoolItem } from './spool.ts'

const files = scratch()
afterAll(() => files.remove())

const everything = { maxItems: 1_000_000, maxBytes: 1_000_000_000 }
const key = newKey()
const limits = { maxBytes: 1_000, maxAgeMs: 60_000 }

function open(directory = files.path(), clock = handClock(), bounds = limits) {
  mkdirSync(directory, { recursive: true })
  const spool = new Spool({ directory, sealer: deriveSealer(key, 'spool'), clock, limits: bounds })
  return { directory, clock, spool }
}
const payload = (text: string, bytes = text.length): Payload => ({
  signal: 'logs',
  encoding: 'json',
  body: Buffer.from(text.padEnd(bytes)),
})
const texts = (items: readonly SpoolItem[]) => items.map((item) => Buffer.from(item.body).toString().trim())

describe('Spool', () => {
  it('is a bounded queue that counts each drop, for any order of calls and over restarts', () => {
    const call = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant('append' as const), bytes: fc.integer({ min: 1, max: 400 }) }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('append' as const), bytes: fc.constant(1_001) }) },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 40_000 }) }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('take' as const), items: fc.integer({ min: 1, max: 5 }) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
    )
    fc.assert(
      fc.property(fc.array(call, { maxLength: 40 }), (calls) => {
        let { spool, clock, directory } = open()
        let kept: { text: string; bytes: number; at: number }[] = []
        const drops = { age: 0, size: 0 }
        let made = 0
        const expire = () => {
          const live = kept.filter((item) => item.at >= clock.now() - limits.maxAgeMs)
          drops.age += kept.length - live.length
          kept = live
        }
        for (const each of calls) {
          if (each.do === 'advance') clock.advance(each.ms)
          else if (each.do === 'reopen') {
            spool.close()
            spool = open(directory, clock).spool
          } else if (each.do === 'take') {
            expire()
            const batch = spool.take({ maxItems: each.items, maxBytes: 500 })
            expect(texts(batch)).toEqual(kept.slice(0, batch.length).map((item) => item.text))
            expect(batch.length > 0).toBe(kept.length > 0)
            const bytes = batch.reduce((sum, item) => sum + item.body.byteLength, 0)
            expect(batch.length === 1 || bytes <= 500).toBe(true)
            const next = kept[batch.length]
            expect(!next || batch.length === each.items || bytes + next.bytes > 500).toBe(true)
            spool.acknowledge(batch.map((item) => item.id))
            spool.acknowledge(batch.map((item) => item.id))
            kept.splice(0, batch.length)
          } else if (each.bytes > limits.maxBytes) {
            expect(spool.append(payload('', each.bytes))).toBe(false)
            drops.size += 1
          } else {
            const text = String(++made)
            const bytes = Math.max(each.bytes, text.length)
            expect(spool.append(payload(text, bytes))).toBe(true)
            expire()
            kept.push({ text, bytes, at: clock.now() })
            while (kept.reduce((sum, item) => sum + item.bytes, 0) > limits.maxBytes) {
              kept.shift()
              drops.size += 1
            }
          }
          const stats = spool.stats()
          const count = (reason: string) => stats.drops.find((drop) => drop.reason === reason)?.items ?? 0
          expect({ items: stats.items, age: count('age'), size: count('size') }).toEqual({
            items: kept.length,
            ...drops,
          })
          expect(stats.bytes).toBe(kept.reduce((sum, item) => sum + item.bytes, 0))
          expect(stats.oldestAt).toBe(kept[0]?.at ?? null)
        }
        spool.close()
      }),
      { numRuns: 40 },
    )
  })

  it('gives back what it was given, and shows nothing of it in its files', () => {
    const { spool, directory } = open()
    const given: Payload[] = (['logs', 'metrics', 'traces'] as const).flatMap((signal) =>
      (['protobuf', 'json'] as const).map((encoding) => ({ signal, encoding, body: Buffer.from('hunter2\0\xff') })),
    )
    for (const each of given) spool.append(each)
    const taken = spool.take(everything)
    expect(taken.map(({ signal, encoding, body }) => ({ signal, encoding, body: Buffer.from(body) }))).toEqual(given)
    expect(Object.values(filesOf(directory)).join('')).not.toContain(Buffer.from('hunter2').toString('hex'))
  })

  it('drops what does not open, counts it, and gives the rest', () => {
    const { spool, directory } = open()
    for (const text of ['a', 'b', 'c']) spool.append(payload(text))
    const db = new DatabaseSync(join(directory, 'spool.db'))
    db.exec('UPDATE items SET sealed = (SELECT sealed FROM items WHERE id = 1), at = at + 1 WHERE id = 2')
    db.close()
    expect(texts(spool.take(everything))).toEqual(['a', 'c'])
    expect(spool.stats()).toMatchObject({ items: 2, bytes: 2, drops: [{ reason: 'damaged', items: 1, bytes: 1 }] })
  })

  it('never means another payload by an id that was acknowledged late', () => {
    const { spool, directory, clock } = open()
    spool.append(payload('a'))
    const ids = spool.take(everything).map((item) => item.id)
    spool.acknowledge(ids)
    spool.close()
    const again = open(directory, clock).spool
    again.append(payload('b'))
    again.acknowledge(ids)
    expect(texts(again.take(everything))).toEqual(['b'])
  })

  it('puts a file aside that is no database, counts it, and goes on', () => {
    const { spool, directory, clock } = open()
    spool.append(payload('a'))
    spool.close()
    writeFileSync(join(directory, 'spool.db'), Buffer.alloc(20_000, 7))
    const { spool: again } = open(directory, clock)
    expect(again.stats()).toMatchObject({ items: 0, drops: [{ reason: 'damaged', items: 1 }] })
    again.append(payload('b'))
    again.close()
    expect(existsSync(join(directory, 'spool.db.damaged'))).toBe(true)
    const { spool: third } = open(directory, clock)
    expect(texts(third.take(everything))).toEqual(['b'])
    expect(third.stats().drops).toMatchObject([{ reason: 'damaged', items: 1 }])
  })

  it('refuses a newer schema', () => {
    const { spool, directory } = open()
    spool.close()
    const db = new DatabaseSync(join(directory, 'spool.db'))
    db.exec('PRAGMA user_version = 2')
    db.close()
    expect(() => open(directory)).toThrow(expect.objectContaining({ code: 'E_SCHEMA_NEWER' }))
  })
})

describe('a killed agent', () => {
  const large = { maxBytes: 100_000_000, maxAgeMs: 10 * 365 * 86_400_000 }
  async function killedAt(line: string, count: number) {
    const directory = files.path()
    mkdirSync(directory)
    const ended = await runChild('./spool-child.ts', [directory, key.toString('hex'), String(count)], (each, kill) => {
      if (each === line) kill()
    })
    expect(ended.signal).toBe('SIGKILL')
    return { directory, said: ended.lines.length }
  }
  const upTo = (count: number) => Array.from({ length: count }, (_, i) => String(i + 1))

  it('has kept every payload that it took, in order', async () => {
    const { directory, said } = await killedAt('700', 100_000)
    const { spool } = open(directory, handClock(), large)
    const found = texts(spool.take(everything))
    expect(found.length).toBeGreaterThanOrEqual(said)
    expect(found).toEqual(upTo(found.length))
  })

  it('with its journal cut anywhere opens, and has lost at most the tail', async () => {
    // Few enough that the journal was never written back: what is written back is on the disk for good, and no cut of it is possible.
    const { directory } = await killedAt('15', 15)
    const size = statSync(join(directory, 'spool.db-wal')).size
    const counts: number[] = []
    for (let cut = 0; cut <= 40; cut++) {
      const copy = files.copy(directory)
      rmSync(join(copy, 'spool.db-shm'), { force: true })
      truncateSync(join(copy, 'spool.db-wal'), Math.floor((size * cut) / 40))
      const { spool } = open(copy, handClock(), large)
      const found = texts(spool.take(everything))
      expect(found).toEqual(upTo(found.length))
      expect(spool.stats().drops).toEqual([])
      spool.append(payload('next'))
      expect(texts(spool.take(everything)).at(-1)).toBe('next')
      spool.close()
      const db = new DatabaseSync(join(copy, 'spool.db'))
      expect(db.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
      db.close()
      counts.push(found.length)
    }
    expect(counts).toEqual([...counts].sort((a, b) => a - b))
    expect(new Set(counts).size).toBeGreaterThan(10)
    expect(counts.at(-1)).toBe(15)
  })
})

const run = promisify(execFile)
const canMount = process.getuid?.() === 0 && process.platform === 'linux'
if (!canMount) console.warn('not root: a spool on a full disk is not checked here')

describe.skipIf(!canMount)('a full disk', () => {
  it('is said so, counted, and keeps what was kept; what arrives makes room again', async () => {
    const mount = files.path()
    mkdirSync(mount)
    await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', mount])
    try {
      const { spool } = open(join(mount, 'agent'), handClock(), { maxBytes: 100_000_000, maxAgeMs: 60_000 })
      const fill = () => {
        let kept = 0
        for (let i = 0; i < 200; i++) {
          try {
            spool.append(payload(`p${i}`, 50_000))
            kept += 1
          } catch (error) {
            expect(error).toMatchObject({ code: 'E_DISK_FULL', retryable: true })
            return kept
          }
        }
        return expect.fail('the disk never was full')
      }
      const kept = fill()
      expect(kept).toBeGreaterThan(10)
      writeFileSync(join(mount, 'other'), '')
      expect(() => writeFileSync(join(mount, 'other'), Buffer.alloc(4_000_000))).toThrow(/ENOSPC/)
      for (let i = 0; i < 5; i++) {
        expect(() => spool.append(payload('x', 50_000))).toThrow(expect.objectContaining({ code: 'E_DISK_FULL' }))
      }
      expect(spool.stats()).toMatchObject({ items: kept, drops: [{ reason: 'disk-full', signal: 'logs', items: 6 }] })
      // Somebody else fills the disk, and it stays full: what was sent can still be forgotten.
      for (let left = kept; left > 0; ) {
        const batch = spool.take({ maxItems: 5, maxBytes: 1_000_000 })
        expect(batch.length).toBeGreaterThan(0)
        spool.acknowledge(batch.map((item) => item.id))
        left -= batch.length
      }
      expect(spool.stats()).toMatchObject({ items: 0, bytes: 0, drops: [{ reason: 'disk-full', items: 6 }] })
      expect(fill()).toBeGreaterThan(10)
      rmSync(join(mount, 'other'))
      spool.close()
    } finally {
      await run('umount', ['-l', mount])
    }
  })
})

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { deriveSealer } from '../state/seal.ts'
import { handClock, newKey, scratch } from '../testing/scratch.ts'
import { committed, lengthsOf, record, tails, tornDirectory, useSmallPages } from '../testing/torn.ts'
import { Spool } from './spool.ts'

const files = scratch()
const torn = tornDirectory()
afterAll(() => {
  files.remove()
  torn.remove()
})
const sealer = deriveSealer(newKey(), 'spool')
const open = (directory: string) => new Spool({ directory, sealer, clock: handClock() })
const bounds = { maxItems: 99, maxBytes: 1_000_000 }

describe('the spool after a write that was torn', () => {
  it('at every length of its journal, with and without a tail of zeros, holds what was whole and says that it lost nothing more', {
    timeout: 300_000,
  }, () => {
    const directory = files.path()
    mkdirSync(directory)
    open(directory).close()
    useSmallPages(join(directory, 'spool.db'))
    const spool = open(directory)
    // Kept, kept, the first forgotten, kept.
    const keep = (text: string) => () => {
      spool.append({ signal: 'logs', encoding: 'json', body: Buffer.from(text.repeat(40)) })
    }
    const journal = record(directory, 'spool.db', [], [keep('a'), keep('b'), () => spool.acknowledge([1]), keep('c')])
    const expected = [[], ['a'], ['a', 'b'], ['b'], ['b', 'c']]
    for (const length of lengthsOf(journal.journal.length)) {
      for (const kind of ['none', 'zeros'] as const) {
        torn.lay(journal, tails[kind](journal.journal, length))
        const found = open(torn.directory)
        const texts = found.take(bounds).map(({ body }) => Buffer.from(body).toString()[0])
        const { drops, bytes } = found.stats()
        found.close()
        const wanted = expected[committed(journal, length)]
        if (JSON.stringify([texts, drops, bytes]) !== JSON.stringify([wanted, [], (wanted?.length ?? 0) * 40])) {
          expect({ texts, drops, bytes }, `cut at ${length}, tail: ${kind}`).toEqual({
            texts: wanted,
            drops: [],
            bytes: 0,
          })
        }
      }
    }
    spool.close()
  })
})

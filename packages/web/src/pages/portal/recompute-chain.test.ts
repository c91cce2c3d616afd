import { genesis, hashOf } from '@landfall/contract'
import { expect, test } from 'vitest'
import type { AuditEntry } from '../../api/types.ts'
import { recomputeChain } from './recompute-chain.ts'

function chainOf(count: number): AuditEntry[] {
  const entries: AuditEntry[] = []
  let previous = genesis('dep_1')
  for (let number = 1; number <= count; number++) {
    const content = {
      deployment: 'dep_1',
      number,
      at: '2026-11-21T12:00:00.000Z',
      type: 'answer.approved',
      actor: 'Ada – Globex',
      code: null,
      message: `entry ${number}: “ja”`,
      resource: null,
      data: number % 2 ? null : { share: 0.5, of: ['a', null] },
      previous,
    }
    const hash = hashOf(content)
    entries.push({ ...content, hash })
    previous = hash
  }
  return entries
}
const checkpoint = (entry: AuditEntry | undefined, hash = entry?.hash ?? '') => ({
  number: entry?.number ?? 0,
  hash,
  at: '2026-11-21T12:00:00.000Z',
  signature: 'x',
})

test('a chain of the contract’s own rule holds, with its checkpoints', async () => {
  const entries = chainOf(5)
  expect(await recomputeChain('dep_1', entries, [checkpoint(entries[3])])).toEqual({ entries: 5, broken: null })
})

test('whatever was changed is found, and where', async () => {
  const entries = chainOf(5)
  const at = async (
    change: (all: AuditEntry[]) => AuditEntry[],
    checkpoints = [checkpoint(entries[3])],
    chain = 'dep_1',
  ) => (await recomputeChain(chain, change(structuredClone(entries)), checkpoints)).broken
  expect(await at((all) => all.with(2, { ...(all[2] as AuditEntry), message: 'nothing' }))).toEqual({
    number: 3,
    message: 'its hash is not that of what it says',
  })
  expect(await at((all) => all.toSpliced(1, 1))).toEqual({ number: 3, message: 'entry 2 is missing' })
  const other = await at((all) => all, [], 'dep_2')
  expect(other).toEqual({ number: 1, message: 'it does not follow from the entry before it' })
  expect(await at((all) => all, [checkpoint(entries[3], 'sha256:other')])).toEqual({
    number: 4,
    message: 'a signed checkpoint says otherwise',
  })
  // Written anew from the third on: each hash is right, and only the link gives it away.
  const forged = { ...(entries[2] as AuditEntry), message: 'nothing' }
  expect(await at((all) => all.with(2, { ...forged, hash: hashOf(forged) }))).toMatchObject({ number: 4 })
})

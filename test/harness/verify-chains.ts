import { genesis, hashOf } from '@landfall/contract'
import type { Witness } from './witness.ts'

interface Row {
  chain: string
  deployment: string | null
  number: string
  at: Date
  type: string
  actor: string
  code: string | null
  message: string
  resource: string | null
  data: unknown
  previous: string
  hash: string
}

/** Recomputes every audit chain of a database, and says what is wrong with each. */
export async function brokenChains(witness: Witness): Promise<string[]> {
  const heads = await witness.query<{ chain: string; number: string; hash: string }>('select * from audit_heads')
  const rows = await witness.query<Row>('select * from audit_entries order by chain, number')
  const chains = Map.groupBy(rows, (row) => row.chain)
  return heads.flatMap(({ chain, number, hash }) => {
    let previous = genesis(chain)
    let last = 0
    for (const row of chains.get(chain) ?? []) {
      const content = { ...row, number: Number(row.number), at: row.at.toISOString() }
      if (content.number !== last + 1) return [`${chain}: ${last + 1} is missing`]
      if (row.previous !== previous) return [`${chain}: ${row.number} does not follow`]
      if (hashOf(content) !== row.hash) return [`${chain}: ${row.number} was changed`]
      last = content.number
      previous = row.hash
    }
    return last === Number(number) && previous === hash ? [] : [`${chain}: ends at ${last}, its head says ${number}`]
  })
}

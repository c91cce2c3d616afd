import { genesis, hashOf } from '@landfall/contract'
import type { Witness } from './witness.ts'

interface Head {
  chain: string
  number: number
  hash: string
}
interface Row {
  chain: string
  deployment: string | null
  number: number
  at: string
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
  // In one statement, so at one moment: managers write on meanwhile.
  const [seen] = await witness.query<{ heads: Head[] | null; rows: Row[] | null }>(`
    select (select json_agg(h) from audit_heads h) as heads,
      (select json_agg(e order by chain, number) from audit_entries e) as rows`)
  const heads = seen?.heads ?? []
  const rows = seen?.rows ?? []
  const chains = Map.groupBy(rows, (row) => row.chain)
  return heads.flatMap(({ chain, number, hash }) => {
    let previous = genesis(chain)
    let last = 0
    for (const row of chains.get(chain) ?? []) {
      const content = { ...row, at: new Date(row.at).toISOString() }
      if (content.number !== last + 1) return [`${chain}: ${last + 1} is missing`]
      if (row.previous !== previous) return [`${chain}: ${row.number} does not follow`]
      if (hashOf(content) !== row.hash) return [`${chain}: ${row.number} was changed`]
      last = content.number
      previous = row.hash
    }
    return last === number && previous === hash ? [] : [`${chain}: ends at ${last}, its head says ${number}`]
  })
}

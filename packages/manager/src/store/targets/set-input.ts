import type { Trx } from '../database.ts'
import type { InputValue } from '../tables/deployments.ts'

/** Sets one input, or takes it away with null. Answers whether anything changed. */
export async function setInput(
  trx: Trx,
  input: { deployment: string; name: string; value: InputValue | null; by: string; at: number },
): Promise<boolean> {
  const { deployment, name } = input
  if (input.value === null) {
    const gone = await trx
      .deleteFrom('inputs')
      .where('deployment', '=', deployment)
      .where('name', '=', name)
      .returning('name')
      .executeTakeFirst()
    return gone !== undefined
  }
  const value = JSON.stringify(input.value)
  const set = { value, set_by: input.by, set_at: new Date(input.at) }
  const changed = await trx
    .insertInto('inputs')
    .values({ deployment, name, ...set })
    .onConflict((conflict) =>
      conflict
        .columns(['deployment', 'name'])
        .doUpdateSet(set)
        // Who set a value first stays when it is set again.
        .whereRef('inputs.value', 'is distinct from', (eb) => eb.ref('excluded.value')),
    )
    .returning('name')
    .executeTakeFirst()
  return changed !== undefined
}

import type { Database, Trx } from '../store/database.ts'

/** The answer that counts for a gate and a target: the newest; of two at one instant the refusal. */
export function lastAnswer(db: Database | Trx, deployment: string, gates: readonly string[], target: string) {
  return db
    .selectFrom('answers')
    .selectAll()
    .where('deployment', '=', deployment)
    .where('gate', 'in', gates)
    .where('target', '=', target)
    .orderBy('at', 'desc')
    .orderBy('status')
    .limit(1)
    .executeTakeFirst()
}

/** A gate of one worker goes by its own name, and by the one that all workers share. */
export function namesOf(gate: string): string[] {
  const at = gate.indexOf('/')
  return at < 0 ? [gate] : [gate, gate.slice(at + 1)]
}

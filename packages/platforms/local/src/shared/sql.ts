import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

/** Prepared statements by text, and rows as the caller says they are: the schema beside it is the proof. */
export class Sql {
  readonly database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.database = database
  }

  get<Row>(text: string, ...values: SQLInputValue[]): Row | null {
    return (this.#prepare(text).get(...values) as Row | undefined) ?? null
  }

  all<Row>(text: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(text).all(...values) as Row[]
  }

  /** Number of rows changed. */
  run(text: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(text).run(...values).changes)
  }

  transaction<T>(body: () => T): T {
    this.database.exec('BEGIN IMMEDIATE')
    try {
      const result = body()
      this.database.exec('COMMIT')
      return result
    } catch (error) {
      this.database.exec('ROLLBACK')
      throw error
    }
  }

  #prepare(text: string): StatementSync {
    let statement = this.#statements.get(text)
    if (!statement) {
      statement = this.database.prepare(text)
      this.#statements.set(text, statement)
    }
    return statement
  }
}

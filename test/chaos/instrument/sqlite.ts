import { DatabaseSync, StatementSync } from 'node:sqlite'
import { Pending } from './mutating-sql.ts'
import { patch } from './patch.ts'
import { mutation } from './trace.ts'

/** Statements and commits of `node:sqlite` that change something durable. */
export function wrapSqlite(): void {
  const pending = new WeakMap<object, Pending>()
  const databaseOf = new WeakMap<object, object>()
  const of = (database: object) => {
    const known = pending.get(database) ?? new Pending()
    pending.set(database, known)
    return known
  }
  const around = (database: object, text: string, call: () => unknown) => {
    const name = of(database).see(text)
    if (name === null) return call()
    const done = mutation(`sqlite ${name}`)
    const result = call()
    done()
    return result
  }
  patch(
    DatabaseSync.prototype,
    'prepare',
    (original) =>
      function (...args) {
        const statement = original.apply(this, args)
        databaseOf.set(statement, this)
        return statement
      },
  )
  patch(
    DatabaseSync.prototype,
    'exec',
    (original) =>
      function (text: string) {
        return around(this, text, () => original.call(this, text))
      },
  )
  for (const name of ['run', 'get', 'all']) {
    patch(
      StatementSync.prototype,
      name,
      (original) =>
        function (...args) {
          const database = databaseOf.get(this)
          if (!database) return original.apply(this, args)
          return around(database, this.sourceSQL, () => original.apply(this, args))
        },
    )
  }
}

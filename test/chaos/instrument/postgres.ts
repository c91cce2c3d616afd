import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Pending } from './mutating-sql.ts'
import { finished, patch } from './patch.ts'
import { mutation } from './trace.ts'

const manager = join(import.meta.dirname, '..', '..', '..', 'packages', 'manager', 'package.json')

/** Statements that change something outside of a transaction, and the commit of one that changed something. */
export function wrapPostgres(): void {
  const { Client } = createRequire(manager)('pg') as { Client: { prototype: object } }
  const pending = new WeakMap<object, Pending>()
  patch(
    Client.prototype,
    'query',
    (original) =>
      function (...args) {
        const [config] = args
        const text = typeof config === 'string' ? config : config?.text
        const mine = pending.get(this) ?? new Pending()
        pending.set(this, mine)
        const name = typeof text === 'string' ? mine.see(text) : null
        if (name === null) return original.apply(this, args)
        const done = mutation(`postgres ${name}`)
        const last = args.length - 1
        const callback = args[last]
        if (typeof callback === 'function') {
          args[last] = (error: unknown, ...rest: unknown[]) => {
            if (!error) done()
            callback(error, ...rest)
          }
          return original.apply(this, args)
        }
        return finished(original.apply(this, args), done)
      },
  )
}

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { LandfallError } from '@landfall/stack'

/** `name=value` pairs as an object; `name=@FILE` takes the file's content, less one newline at its end. */
export function keyValues(pairs: readonly string[], directory: string): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) {
        throw new LandfallError({
          code: 'E_USAGE',
          message: `«${pair.split('=')[0]}» has no value.`,
          hint: 'Write name=value, or name=@FILE.',
        })
      }
      const value = pair.slice(at + 1)
      return [
        pair.slice(0, at),
        value.startsWith('@') ? readFileSync(resolve(directory, value.slice(1)), 'utf8').replace(/\r?\n$/, '') : value,
      ]
    }),
  )
}

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { LandfallError } from '@landfall/stack'

/** The input of a command as `--input` gives it: JSON, or `@FILE`. @throws LandfallError `E_USAGE` */
export function inputOf(text: string | undefined, directory: string): unknown {
  if (!text) return {}
  try {
    return JSON.parse(text.startsWith('@') ? readFileSync(resolve(directory, text.slice(1)), 'utf8') : text)
  } catch (cause) {
    throw new LandfallError({
      code: 'E_USAGE',
      message: 'The input is not JSON.',
      hint: `Write --input '{"since":"2026-01-01"}', or --input @FILE.`,
      cause,
    })
  }
}

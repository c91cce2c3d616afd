import { stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { LandfallError } from '@landfall/stack'

export const configFileName = 'landfall.config.ts'

/** The config file of a project given by its directory or by the file itself. Throws `E_CONFIG_NOT_FOUND`. */
export async function findConfig(path: string): Promise<{ file: string; dir: string }> {
  const absolute = resolve(path)
  const info = await stat(absolute).catch(() => null)
  const file = info?.isDirectory() ? join(absolute, configFileName) : absolute
  const found = info?.isDirectory() ? await stat(file).catch(() => null) : info
  if (found?.isFile()) return { file, dir: dirname(file) }
  throw new LandfallError({
    code: 'E_CONFIG_NOT_FOUND',
    message: `There is no ${configFileName} in ${info?.isDirectory() ? absolute : dirname(absolute)}.`,
    hint: 'Go to the project, name it, or start one with `landfall init`.',
  })
}

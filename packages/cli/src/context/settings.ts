import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { LandfallError } from '@landfall/stack'

/** What `landfall login` keeps: managers by address, and which one is meant when nothing is said. */
export interface Settings {
  current: string | null
  managers: Record<string, { token: string }>
}

/** `$LANDFALL_HOME`, else `$XDG_CONFIG_HOME/landfall`, else `~/.config/landfall`. */
export function settingsDirectory(environment: Record<string, string | undefined>): string {
  if (environment.LANDFALL_HOME) return environment.LANDFALL_HOME
  return join(environment.XDG_CONFIG_HOME ?? join(environment.HOME ?? homedir(), '.config'), 'landfall')
}

const file = (environment: Record<string, string | undefined>) => join(settingsDirectory(environment), 'settings.json')

export function readSettings(environment: Record<string, string | undefined>): Settings {
  let text: string
  try {
    text = readFileSync(file(environment), 'utf8')
  } catch {
    return { current: null, managers: {} }
  }
  try {
    const parsed = JSON.parse(text)
    return { current: parsed.current ?? null, managers: parsed.managers ?? {} }
  } catch (cause) {
    throw new LandfallError({
      code: 'E_SETTINGS_UNREADABLE',
      message: `${file(environment)} is not JSON.`,
      hint: 'Mend it, or delete it and run `landfall login` again.',
      cause,
    })
  }
}

/** Readable by its owner alone, because it holds tokens. */
export function writeSettings(environment: Record<string, string | undefined>, settings: Settings): void {
  mkdirSync(dirname(file(environment)), { recursive: true, mode: 0o700 })
  writeFileSync(file(environment), `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 })
}

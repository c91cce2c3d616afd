import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Client, createClient } from '@landfall/contract'
import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import { createOutput, type Output, type Streams } from '../output/output.ts'
import { readSettings } from './settings.ts'

export type Environment = Record<string, string | undefined>

/** Everything a command needs from the outside; given to `main`, so that commands run in tests without a process. */
export interface World {
  environment: Environment
  directory: string
  streams: Streams
  signal: AbortSignal
}

export interface GlobalOptions {
  json?: boolean
  verbose?: boolean
  url?: string
  token?: string
  project?: string
}

export interface Context extends World {
  output: Output
  /** The manager's address, from `--url`, `LANDFALL_URL`, or the last login. */
  url(): string
  client(): Client
  /** The project, from `--project`, `LANDFALL_PROJECT`, or the landfall.json beside landfall.config.ts. */
  project(): string
}

export function createContext(world: World, options: GlobalOptions): Context {
  const output = createOutput(world.streams, {
    json: options.json ?? false,
    verbose: options.verbose ?? false,
    environment: world.environment,
  })
  const url = () => {
    const found = options.url ?? world.environment.LANDFALL_URL ?? readSettings(world.environment).current
    if (found) return found
    throw new LandfallError({
      code: 'E_NO_MANAGER',
      message: 'No manager is named.',
      hint: 'Run `landfall login URL`, set LANDFALL_URL, or start one here with `landfall serve`.',
    })
  }
  return {
    ...world,
    output,
    url,
    client: () => {
      const token =
        options.token ?? world.environment.LANDFALL_TOKEN ?? readSettings(world.environment).managers[url()]?.token
      return createClient({ url: url(), ...(token && { token }) })
    },
    project: () => options.project ?? world.environment.LANDFALL_PROJECT ?? projectOf(world.directory),
  }
}

/** Context of the command that commander runs, from its options and those of the commands above it. */
export function contextOf(world: World, command: Command): Context {
  return createContext(world, command.optsWithGlobals())
}

/** Walks up to the nearest landfall.config.ts and reads the project's name from the landfall.json beside it. */
function projectOf(directory: string): string {
  for (let current = resolve(directory); ; current = dirname(current)) {
    const file = join(current, 'landfall.json')
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')).project
    if (dirname(current) === current) break
  }
  throw new LandfallError({
    code: 'E_NO_PROJECT',
    message: 'No project is named.',
    hint: 'Run this inside a project (a folder with landfall.json), or give --project NAME or LANDFALL_PROJECT.',
  })
}

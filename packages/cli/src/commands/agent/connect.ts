import { existsSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import type { LocalClient } from '@landfall/agent'
import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { Context, World } from '../../context/context.ts'
import { define } from '../define.ts'

/** Where an agent is, as every command of it is told. */
export interface AgentOptions {
  data?: string
  socket?: string
  address?: string
  tokenFile?: string
  by?: string
}

/** The agent's directory: `--data`, `LANDFALL_AGENT_DATA`, or `.landfall/agent`. */
export const dataOf = (context: World, options: Pick<AgentOptions, 'data'>): string =>
  resolve(context.directory, options.data ?? context.environment.LANDFALL_AGENT_DATA ?? '.landfall/agent')

/**
 * A client of the running agent: the socket or address that is named, else `LANDFALL_AGENT_SOCKET`, else the socket in the agent's
 * directory, else where the systemd unit puts it.
 */
export async function connect(context: Context, options: AgentOptions): Promise<LocalClient> {
  const { createLocalClient, unitSocket } = await import('@landfall/agent')
  const data = dataOf(context, options)
  if (options.address !== undefined) {
    const file = resolve(context.directory, options.tokenFile ?? join(data, 'agent.token'))
    return createLocalClient({ url: addressOf(options.address), token: readToken(file) })
  }
  const named = options.socket ?? context.environment.LANDFALL_AGENT_SOCKET
  const own = join(data, 'agent.sock')
  const unnamed = options.data === undefined && !existsSync(own) && existsSync(unitSocket) ? unitSocket : own
  return createLocalClient({ socket: named === undefined ? unnamed : resolve(context.directory, named) })
}

/** Who asks, for the agent's audit: nothing proves it. */
export function byOf(context: World, options: Pick<AgentOptions, 'by'>): string {
  const { USER, LOGNAME } = context.environment
  return (options.by ?? USER ?? LOGNAME ?? (userInfo().username || 'somebody')).slice(0, 100)
}

/** Adds a command that calls the running agent. */
export function calling<Options extends object>(
  parent: Command,
  world: World,
  definition: {
    name: string
    summary: string
    examples: readonly string[]
    configure?: (command: Command) => void
    run: (client: LocalClient, context: Context, args: string[], options: Options & AgentOptions) => Promise<void>
  },
): void {
  define<Options & AgentOptions>(parent, world, {
    ...definition,
    configure(command) {
      definition.configure?.(command)
      command
        .option('--data <dir>', "the agent's directory (LANDFALL_AGENT_DATA, .landfall/agent)")
        .option('--socket <path>', 'its socket (LANDFALL_AGENT_SOCKET)')
        .option('--address <host:port>', 'its port on this machine, where it has one')
        .option('--token-file <file>', 'token for the port (agent.token in its directory)')
    },
    run: async (context, args, options) => definition.run(await connect(context, options), context, args, options),
  })
}

function addressOf(text: string): string {
  const match = /^(?:http:\/\/)?(?:127\.0\.0\.1|localhost):(\d{1,5})\/?$/.exec(text)
  if (match) return `http://127.0.0.1:${match[1]}`
  throw new LandfallError({
    code: 'E_USAGE',
    message: 'The address is not a port of this machine.',
    hint: 'Write it as 127.0.0.1:PORT. The local API is on no other address.',
  })
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new LandfallError({
      code: 'E_USAGE',
      message: `There is no token to read at ${file}.`,
      hint: 'Give the file that `landfall agent run --listen` made, with --token-file.',
      cause,
    })
  }
}

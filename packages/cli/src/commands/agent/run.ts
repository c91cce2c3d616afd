import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { LocalAddress } from '@landfall/agent'
import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { Context, World } from '../../context/context.ts'
import { define } from '../define.ts'
import { dataOf } from './connect.ts'
import { trimMemory } from './trim-memory.ts'

interface RunOptions {
  data?: string
  keyFile?: string
  setup?: string
  socket?: string
  listen?: string
  tokenFile?: string
  webhooks: boolean
}

const stopMs = 5_000

export function agentRun(parent: Command, world: World): void {
  define<RunOptions>(parent, world, {
    name: 'run',
    summary: 'Run the agent until it is told to stop; what it has deployed goes on without it',
    examples: [
      'agent run --data /var/lib/landfall-agent',
      'agent run --data /var/lib/landfall-agent --socket /run/landfall-agent/agent.sock',
      'agent run --data /var/lib/landfall-agent --listen 127.0.0.1:7300',
      'agent run --data /var/lib/landfall-agent --setup again.setup.json',
    ],
    configure: (command) =>
      command
        .option('--data <dir>', "the agent's directory (LANDFALL_AGENT_DATA, .landfall/agent)")
        .option(
          '--key-file <file>',
          'key of its state (LANDFALL_AGENT_KEY_FILE, systemd’s agent-key, beside the directory)',
        )
        .option('--setup <file>', 'enrol again by a new setup for the same deployment')
        .option('--socket <path>', 'where its local API is (agent.sock in its directory)')
        .option('--listen <host:port>', 'a port on this machine instead of the socket; 0 takes any')
        .option('--no-webhooks', 'ask no webhook that a release names: a rollout with one goes back')
        .option('--token-file <file>', 'token for the port, made where there is none (agent.token in its directory)'),
    async run(context, _args, options) {
      // Loaded only here: it is the agent and its platform, and every other command starts faster without it.
      const { keyOfAgent, makeTokenFile, readSetup, serveLocalApi, startAgent } = await import('@landfall/agent')
      const data = dataOf(context, options)
      if (!existsSync(join(data, 'data.key'))) throw notMade(data)
      const { keyFile } = options
      const key = keyOfAgent(
        data,
        context.environment,
        keyFile === undefined ? undefined : resolve(context.directory, keyFile),
      )
      const setup = options.setup === undefined ? null : await readSetup(resolve(context.directory, options.setup))
      const at = addressOf(context, data, options, makeTokenFile)
      const agent = await startAgent({
        ...{ directory: data, key, setup, log: logOf(context), webhooks: options.webhooks },
      })
      try {
        const onError = (error: unknown) => logOf(context).warn('the local API failed', { error: String(error) })
        const api = await serveLocalApi({ agent, data, at, onError })
        const { deployment, key: fingerprint } = await agent.status()
        context.output.event(
          { kind: 'ready', address: api.address, deployment, key: fingerprint },
          () => `The agent of ${deployment.name} (${deployment.project}) runs; its local API is at ${api.address}`,
        )
        trimMemory(context.signal)
        await untilAborted(context.signal)
        context.output.say('Stopping: what is deployed goes on.')
        await api.stop(stopMs)
      } finally {
        await agent.stop()
      }
    },
  })
}

function addressOf(
  context: Context,
  data: string,
  { socket, listen, tokenFile }: RunOptions,
  makeTokenFile: (file: string) => string,
): LocalAddress {
  if (listen === undefined) return { socket: resolve(context.directory, socket ?? join(data, 'agent.sock')) }
  const port = /^(?:127\.0\.0\.1|localhost):(\d{1,5})$/.exec(listen)?.[1]
  if (port === undefined || Number(port) > 65_535) {
    throw new LandfallError({
      code: 'E_USAGE',
      message: `The agent does not listen at ${listen}.`,
      hint: 'Give 127.0.0.1:PORT. It speaks plain HTTP, so it is on no address that another machine reaches.',
    })
  }
  const file = resolve(context.directory, tokenFile ?? join(data, 'agent.token'))
  return { port: Number(port), token: existsSync(file) ? readFileSync(file, 'utf8').trim() : makeTokenFile(file) }
}

/** Lines for the journal: words, or JSON with `--json`. Never on stdout, which has the events alone. */
function logOf(context: Context) {
  const line = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
    const { json, verbose } = context.output
    if (level === 'info' && !verbose && !json) return
    const text = json
      ? JSON.stringify({ level, message, ...fields })
      : `${level}: ${message}${fields ? ` ${JSON.stringify(fields)}` : ''}`
    context.streams.err.write(`${text}\n`)
  }
  return { info: line('info'), warn: line('warn') }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done()
    else signal.addEventListener('abort', () => done(), { once: true })
  })
}

function notMade(data: string): LandfallError {
  return new LandfallError({
    code: 'E_AGENT_SETUP',
    message: `There is no agent in ${data}.`,
    hint: 'Make one with `landfall agent init --setup FILE`, or name its directory with --data.',
  })
}

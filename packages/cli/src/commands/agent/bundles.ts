import { createWriteStream, existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Agent, LocalClient } from '@landfall/agent'
import { bytesText } from '@landfall/release'
import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { Context, World } from '../../context/context.ts'
import { byOf, calling } from './connect.ts'

type Imported = Awaited<ReturnType<Agent['importBundle']>>

export function agentBundleCommands(parent: Command, world: World): void {
  calling<{ allowOlder?: boolean; by?: string }>(parent, world, {
    name: 'import',
    summary: 'Take a bundle in: proved to its last byte, then applied; goes on where it was cut off',
    examples: [
      'agent import acme-1.4.0.bundle',
      'agent import acme-1.4.0.bundle.parts.json',
      'agent import old.bundle --allow-older',
    ],
    configure: (command) =>
      command
        .argument('<file>', 'the bundle, or the index of its parts')
        .option('--allow-older', 'make releases available that are older than what was accepted')
        .option('--by <name>', 'who imports it, for the audit (USER)'),
    async run(client, context, [name = ''], options) {
      const file = resolve(context.directory, name)
      const result = await importing(client, context, file, {
        allowOlder: options.allowOlder ?? false,
        by: byOf(context, options),
      })
      context.output.data(result, (item) =>
        [
          item.status === 'already'
            ? 'This bundle was imported before: nothing is to be done.'
            : `Imported ${item.releases.join(', ') || 'keys alone'}.`,
          ...(item.generation === null ? [] : [`Its order (${item.generation}) is taken.`]),
          ...(item.commands.length === 0 ? [] : [`Commands taken: ${item.commands.join(', ')}.`]),
          ...item.refusedCommands.map((command) => `The command ${command.id} was left out: ${command.code}.`),
        ].join('\n'),
      )
      context.output.next('landfall agent status')
    },
  })
  calling<{ out?: string; forget?: string; by?: string }>(parent, world, {
    name: 'export',
    summary: 'Write what the site hands back: status, receipts, results, telemetry, audit',
    examples: ['agent export --out initech.export', 'agent export --forget 7'],
    configure: (command) =>
      command
        .option('--out <file>', 'where (DEPLOYMENT-NUMBER.export by default)')
        .option('--forget <number>', 'make none: the vendor says that exports up to this number arrived')
        .option('--by <name>', 'who does it, for the audit (USER)'),
    async run(client, context, _args, options) {
      const by = byOf(context, options)
      if (options.forget !== undefined) {
        const through = Number(options.forget)
        const body = { through, by }
        const done = await client.json<{ forgotten: number }>({ method: 'POST', path: '/v1/exports/confirm', body })
        context.output.data(
          done,
          (item) => `Exports up to ${through} arrived: ${item.forgotten} telemetry payloads are forgotten here.`,
        )
        return
      }
      const { deployment } = await client.json<{ deployment: { name: string } }>({ method: 'GET', path: '/v1/status' })
      const { headers, content } = await client.bytes({ method: 'POST', path: '/v1/exports', body: { by } })
      const sequence = Number(headers['landfall-export'])
      const file = resolve(context.directory, options.out ?? `${deployment.name}-${sequence}.export`)
      const part = `${file}.part`
      try {
        await pipeline(content, createWriteStream(part, { mode: 0o600 }))
        await rename(part, file)
      } catch (cause) {
        await rm(part, { force: true })
        throw unwritten(file, cause)
      }
      const size = Number(headers['content-length'])
      context.output.data(
        { file, sequence, size },
        () => `${file}: export ${sequence}, ${bytesText(size)}. Carry it to the vendor.`,
      )
    },
  })
}

/** By its path; where the agent can't see what we see (another user, a private file system), the bytes are sent. */
async function importing(
  client: LocalClient,
  context: Context,
  file: string,
  options: { allowOlder: boolean; by: string },
): Promise<Imported> {
  const show = progressOf(context)
  try {
    return await client.importing<Imported>({ method: 'POST', path: '/v1/imports', body: { file, ...options } }, show)
  } catch (error) {
    const unseen = LandfallError.is(error) && (error.code === 'E_BUNDLE_NOT_FOUND' || error.code === 'E_INTERNAL')
    if (!unseen || !existsSync(file) || file.endsWith('.parts.json')) throw error
    context.output.detail('The agent does not see the file: it is sent.')
    const query = new URLSearchParams({ allowOlder: String(options.allowOlder), by: options.by })
    return client.importing<Imported>({ method: 'PUT', path: `/v1/imports?${query}`, upload: { file } }, show)
  }
}

/** A line that is drawn over where somebody looks; every tenth part as an event with `--json`. */
function progressOf(context: Context): (done: number, total: number) => void {
  let told = -1
  return (done, total) => {
    const percent = total === 0 ? 100 : Math.floor((done / total) * 100)
    if (context.output.interactive)
      context.streams.out.write(`\r${percent}% of ${bytesText(total)} proved${done === total ? '\n' : ''}`)
    else if (!context.output.json && Math.floor(percent / 25) !== told) {
      told = Math.floor(percent / 25)
      context.output.say(`${percent}% of ${bytesText(total)} proved`)
    }
  }
}

function unwritten(file: string, cause: unknown): unknown {
  if (LandfallError.is(cause) || !(cause instanceof Error && 'code' in cause)) return cause
  return new LandfallError({
    code: cause.code === 'ENOSPC' ? 'E_DISK_FULL' : 'E_EXPORT_NOT_FOUND',
    message: `The export could not be written to ${file} (${cause.code}).`,
    hint: 'Make room or give another path with --out, and make it again. Nothing of it is lost.',
    retryable: true,
    cause,
  })
}

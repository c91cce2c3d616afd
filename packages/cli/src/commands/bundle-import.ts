import { openAsBlob } from 'node:fs'
import { resolve } from 'node:path'
import type { importedExport } from '@landfall/contract'
import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { z } from 'zod'
import type { World } from '../context/context.ts'
import { relative } from '../output/time.ts'
import { define } from './define.ts'

/** A large file over a slow line: 1 GiB at 10 Mbit/s takes 15 minutes. */
const uploadMs = 30 * 60_000

export function importBundleCommand(bundles: Command, world: World): void {
  define(bundles, world, {
    name: 'import',
    summary: 'Take in what a site handed back: its status, receipts, results of commands, telemetry',
    examples: ['bundle import initech-0007.export'],
    configure: (command) => command.argument('<file>', 'what `landfall agent export` wrote at the site'),
    async run(context, [file = '']) {
      const body = await openAsBlob(resolve(context.directory, file)).catch((cause: unknown) => {
        throw new LandfallError({
          code: 'E_EXPORT_NOT_FOUND',
          message: `The export ${file} can not be opened.`,
          hint: 'Check the path.',
          cause,
        })
      })
      const params = { project: context.project() }
      const taken = await context
        .client()
        .importExport({ params, body }, { timeoutMs: uploadMs, signal: context.signal })
      context.output.data(taken, describe)
      context.output.next(`landfall deployments explain ${taken.name}`)
    },
  })
}

function describe(taken: z.output<typeof importedExport>): string {
  const { sequence, name, createdAt, receipts, commands, telemetry } = taken
  const made = `export ${sequence} of ${name}, made ${relative(createdAt)}`
  if (taken.status === 'already') return `${made}, was taken in before: nothing was done.`
  const lines = [
    `Took in ${made}${taken.enrolled ? '; its agent is enrolled now' : ''}.`,
    ...receipts.map(
      (receipt) => `  imported there ${relative(receipt.importedAt)}: ${receipt.releases.join(', ') || 'no release'}`,
    ),
    ...commands.map((command) => `  command ${command.id}: ${command.status}`),
    `  ${taken.reports} ${taken.reports === 1 ? 'report' : 'reports'}; telemetry: ${telemetry.logs} log, ${telemetry.metrics} metric and ${telemetry.traces} trace requests`,
  ]
  return lines.join('\n')
}

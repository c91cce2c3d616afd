import { resolve } from 'node:path'
import {
  bytesText,
  extractAttachment,
  inspectBundle,
  publicKeyFrom,
  type TrustOptions,
  verifyBundle,
} from '@landfall/release'
import type { Command } from 'commander'
import type { Context, World } from '../context/context.ts'
import { relative } from '../output/time.ts'
import { define } from './define.ts'

/** What is done with a bundle's file alone: at the vendor's, and at the site before it has an agent. */
export function checkBundleCommands(bundles: Command, world: World): void {
  define(bundles, world, {
    name: 'inspect',
    summary: 'What a bundle says of itself; nothing of it is proved',
    examples: ['bundle inspect acme-invoices-1.4.0.bundle'],
    configure: (command) => command.argument('<file>', 'the bundle, or the index of its parts'),
    async run(context, [file = '']) {
      const seen = await inspectBundle(resolve(context.directory, file))
      context.output.data(seen, ({ statement, size, expectedSize, id }) =>
        [
          `${statement.project}, made ${relative(statement.createdAt)}${statement.expiresAt ? `, valid until ${statement.expiresAt}` : ''}${statement.deployment ? `, for ${statement.deployment} alone` : ''}`,
          ...statement.releases.map(
            (release) =>
              `  ${release.version}  sequence ${release.sequence}  ${release.digest.slice(0, 19)}${release.sbom ? '' : '  without a bill of materials'}`,
          ),
          ...statement.attachments.map((attachment) => `  ${attachment.name}  ${attachment.mediaType}`),
          ...statement.commands.map((command) => `  command ${command.id}`),
          `${bytesText(size)}${size === expectedSize ? '' : ` of ${bytesText(expectedSize)}: it is cut short`}, keyset ${statement.keyset.version}`,
          id,
          'Nobody has checked this: landfall bundle verify',
        ].join('\n'),
      )
    },
  })
  define<{ root?: string; deployment?: string }>(bundles, world, {
    name: 'verify',
    summary: 'Prove every byte of a bundle against the root key',
    examples: ['bundle verify acme-invoices-1.4.0.bundle', 'bundle verify update.bundle --root MCowBQYDK2VwAyEA…'],
    configure: (command) =>
      command
        .argument('<file>', 'the bundle, or the index of its parts')
        .option('--root <key>', 'public root key (the manager is asked where none is given)')
        .option('--deployment <id>', 'whose import is tried'),
    async run(context, [file = ''], options) {
      const path = resolve(context.directory, file)
      const proved = await verifyBundle(path, await trustOf(context, path, options))
      context.output.data(
        { id: proved.id, statement: proved.statement },
        ({ statement }) =>
          `Every byte is proved: ${statement.releases.map((release) => release.version).join(', ')} of ${statement.project}, keyset ${statement.keyset.version}.`,
      )
    },
  })
  define<{ root?: string; deployment?: string; out?: string }>(bundles, world, {
    name: 'extract',
    summary: 'Prove a bundle, and write one of its attachments, such as the agent’s program, to a file',
    examples: ['bundle extract acme-invoices-1.4.0.bundle agent/landfall-agent.mjs --out landfall-agent.mjs'],
    configure: (command) =>
      command
        .argument('<file>', 'the bundle, or the index of its parts')
        .argument('<attachment>', 'its name, as inspect shows it')
        .option('--out <file>', 'where to (its own name by default)')
        .option('--root <key>', 'public root key (the manager is asked where none is given)')
        .option('--deployment <id>', 'whose import is tried'),
    async run(context, [file = '', name = ''], options) {
      const path = resolve(context.directory, file)
      const out = resolve(context.directory, options.out ?? name.split('/').at(-1) ?? name)
      const { digest, size } = await extractAttachment(path, { name, out, ...(await trustOf(context, path, options)) })
      context.output.data({ file: out, digest, size }, () => `${out}, ${bytesText(size)}\n${digest}`)
    },
  })
}

/** The root that is given, or that the manager names; the project and deployment that the bundle names. */
async function trustOf(
  context: Context,
  file: string,
  options: { root?: string; deployment?: string },
): Promise<TrustOptions> {
  const { statement } = await inspectBundle(file)
  // With a root that is given nobody is asked, so the bundle's own word says which project it is to be.
  const project = options.root === undefined ? context.project() : statement.project
  const text = options.root ?? (await context.client().getKeyset({ params: { project } })).rootPublicKey
  return {
    root: { ...publicKeyFrom(text), version: 1 },
    project,
    minKeysetVersion: 1,
    sequenceFloor: 0,
    deployment: options.deployment ?? statement.deployment ?? 'dep_any',
    now: Date.now(),
  }
}

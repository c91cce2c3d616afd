import { resolve } from 'node:path'
import { bytesText, createBundle, inspectBundle, publicKeyFrom, verifyBundle } from '@landfall/release'
import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { readKey } from '../keys/key-store.ts'
import { relative } from '../output/time.ts'
import { define, family } from './define.ts'

const collect = (value: string, all: string[]) => [...all, value]

export function bundleCommands(program: Command, world: World): void {
  const bundles = family(program, 'bundle', 'Releases as one signed file, for a site without network')
  define<{ out?: string; base: string[]; deployment?: string; days?: string }>(bundles, world, {
    name: 'create',
    summary: 'Write releases into a bundle: an OCI image layout in a tar, one signature over every byte',
    examples: [
      'bundle create 1.4.0',
      'bundle create 1.4.0 --base 1.3.2 --out update.bundle',
      'bundle create 1.4.0 --deployment dep_4k2j9x7m --days 30',
    ],
    configure: (command) =>
      command
        .argument('<release...>', 'versions')
        .option('--out <file>', 'where (PROJECT-VERSION.bundle by default)')
        .option('--base <version>', 'a release that the site has: what it holds is left out', collect, [])
        .option('--deployment <id>', 'the only deployment that may import it')
        .option('--days <n>', 'valid so long'),
    async run(context, versions, options) {
      const client = context.client()
      const project = context.project()
      const envelopeOf = async (release: string) => (await client.getRelease({ params: { project, release } })).envelope
      const blobs = async (digest: string) =>
        new Uint8Array(await (await client.getBlob({ params: { project, digest } })).arrayBuffer())
      const { envelope: keyset } = await client.getKeyset({ params: { project } })
      const now = Date.now()
      const made = await createBundle({
        out: resolve(context.directory, options.out ?? `${project}-${versions.at(-1)}.bundle`),
        project,
        releases: await Promise.all(versions.map(async (version) => ({ envelope: await envelopeOf(version), blobs }))),
        base: await Promise.all(options.base.map(envelopeOf)),
        keyset,
        signer: await readKey(context.environment, project, 'vendor'),
        now,
        ...(options.deployment && { deployment: options.deployment }),
        ...(options.days && { expiresAt: now + Number(options.days) * 86_400_000 }),
      })
      context.output.data(
        { file: made.file, id: made.id, size: made.size },
        (item) => `${item.file}, ${bytesText(item.size)}\n${item.id}`,
      )
      context.output.next(`landfall bundle verify ${made.file}`)
    },
  })
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
            (release) => `  ${release.version}  sequence ${release.sequence}  ${release.digest.slice(0, 19)}`,
          ),
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
      const project = context.project()
      const text = options.root ?? (await context.client().getKeyset({ params: { project } })).rootPublicKey
      const proved = await verifyBundle(resolve(context.directory, file), {
        root: { ...publicKeyFrom(text), version: 1 },
        project,
        minKeysetVersion: 1,
        sequenceFloor: 0,
        deployment:
          options.deployment ??
          (await inspectBundle(resolve(context.directory, file))).statement.deployment ??
          'dep_any',
        now: Date.now(),
      })
      context.output.data(
        { id: proved.id, statement: proved.statement },
        ({ statement }) =>
          `Every byte is proved: ${statement.releases.map((release) => release.version).join(', ')} of ${statement.project}, keyset ${statement.keyset.version}.`,
      )
    },
  })
}

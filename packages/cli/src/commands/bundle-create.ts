import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Client, orderAttachment } from '@landfall/contract'
import { bytesText, createBundle, type Envelope, parseEnvelope, splitBundle } from '@landfall/release'
import { canonicalJson, LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import { agentAttachment, agentProgram } from '../agent-program/agent-program.ts'
import type { Context, World } from '../context/context.ts'
import { readKey } from '../keys/key-store.ts'
import { parseBytes } from '../output/parse-bytes.ts'
import { requireWanted } from '../publish/require-wanted.ts'
import { define } from './define.ts'

const collect = (value: string, all: string[]) => [...all, value]

interface Options {
  out?: string
  base: string[]
  deployment?: string
  days?: string
  command: string[]
  image: string[]
  imagesElsewhere?: boolean
  split?: string
  agent: boolean
  force?: boolean
}

export function createBundleCommand(bundles: Command, world: World): void {
  define<Options>(bundles, world, {
    name: 'create',
    summary: 'Write releases into a bundle: an OCI image layout in a tar, one signature over every byte',
    examples: [
      'bundle create 1.4.0 --deployment initech',
      'bundle create 1.4.0 --base 1.3.2 --out update.bundle',
      'bundle create --deployment initech',
      'bundle create 1.4.0 --deployment initech --days 30 --command reindex.json --split 2G',
    ],
    configure: (command) =>
      command
        .argument('[release...]', 'versions; a deployment is told the newest of them. None: what it is asked to be now')
        .option('--out <file>', 'where (PROJECT-VERSION.bundle by default)')
        .option('--base <version>', 'a release that the site has: what it holds is left out', collect, [])
        .option('--deployment <name>', 'the only one that may import it; brings its order, config and secrets along')
        .option('--days <n>', 'valid so long')
        .option('--command <file>', 'a signed command to run there', collect, [])
        .option('--image <name=dir>', 'an OCI layout with the image of a resource', collect, [])
        .option('--images-elsewhere', 'the site has the images of containers in a registry of its own')
        .option('--split <size>', 'cut into files of at most this size, such as 2G')
        .option('--no-agent', "without the agent's program")
        .option('--force', 'also a release whose rollout was aborted'),
    async run(context, versions, options) {
      const client = context.client()
      const project = context.project()
      const split = options.split === undefined ? null : parseBytes(options.split)
      if (versions.length === 0 && options.deployment === undefined) {
        throw usage('It is not said what the bundle is to hold.', 'Name a release, or a deployment, or both.')
      }
      const releases = await Promise.all(versions.map((release) => client.getRelease({ params: { project, release } })))
      for (const release of releases) if (!options.force) await requireWanted(client, project, release)
      const commands = await Promise.all(options.command.map((file) => readCommand(context, file)))
      const blobs = async (digest: string) =>
        new Uint8Array(await (await client.getBlob({ params: { project, digest } })).arrayBuffer())
      const base = await Promise.all(options.base.map((release) => client.getRelease({ params: { project, release } })))
      const program = options.agent ? await agentProgram() : null
      const signer = await readKey(context.environment, project, 'vendor')
      const expiresAt = options.days === undefined ? {} : { expiresAt: Date.now() + daysOf(options.days) }
      // Last of all that may fail: it tells the deployment the release.
      const newest = releases.toSorted((one, other) => one.sequence - other.sequence).at(-1)
      const site =
        options.deployment === undefined
          ? null
          : await orderOf(client, project, options.deployment, newest?.digest, options.force ?? false)
      // What the order names and the site may lack: what it is to be set up with may be another release than what it is to run.
      const here = new Set([...releases, ...base].map((release) => release.digest))
      const named = [site?.order.target?.release, site?.order.setup?.release].filter((name) => name !== undefined)
      for (const release of new Set(named.filter((name) => !here.has(name)))) {
        releases.push(await client.getRelease({ params: { project, release } }))
      }
      const made = await createBundle({
        out: resolve(context.directory, options.out ?? `${project}-${newest?.version ?? options.deployment}.bundle`),
        project,
        releases: releases.map(({ envelope }) => ({ envelope, blobs, images: imagesOf(context, options.image) })),
        base: base.map((release) => release.envelope),
        keyset: site?.keyset.envelope ?? (await client.getKeyset({ params: { project } })).envelope,
        rotations: site?.keyset.rotations ?? [],
        signer,
        now: Date.now(),
        commands,
        attachments: [
          ...(program ? [{ ...agentAttachment, content: program }] : []),
          ...(site ? [{ ...orderAttachment, content: Buffer.from(canonicalJson(site.order)) }] : []),
        ],
        imagesElsewhere: options.imagesElsewhere ?? false,
        ...(site && { deployment: site.order.deployment.id }),
        ...expiresAt,
      })
      const parts = split === null ? null : await splitBundle(made.file, split)
      const { order } = site ?? {}
      const told = order
        ? { deployment: order.deployment.name, generation: order.generation, operation: order.operation }
        : null
      context.output.data({ file: made.file, parts, id: made.id, size: made.size, told }, (item) =>
        [
          `${item.file}, ${bytesText(item.size)}`,
          `with ${releases.map((release) => release.version).join(', ')}`,
          ...(item.parts ? [`in parts: ${item.parts}`] : []),
          ...(item.told
            ? [
                `${item.told.deployment} is told ${whatOf(item.told.operation, newest?.version)} by it (generation ${item.told.generation})`,
              ]
            : []),
          item.id,
        ].join('\n'),
      )
      context.output.next(`landfall bundle verify ${parts ?? made.file}`)
    },
  })
}

function orderOf(client: Client, project: string, deployment: string, release: string | undefined, force: boolean) {
  const body = release === undefined ? { force } : { release, force }
  return client.createBundleOrder({ params: { project, deployment }, body })
}

function whatOf(operation: 'run' | 'destroy', version: string | undefined): string {
  if (operation === 'destroy') return 'to take everything away'
  return version ?? 'what is asked of it now'
}

/** Milliseconds. */
function daysOf(text: string): number {
  const days = Number(text)
  if (days > 0 && days <= 3650) return days * 86_400_000
  throw usage(`${text} is no number of days.`, 'Write --days 30.')
}

async function readCommand(context: Context, file: string): Promise<Envelope> {
  const text = await readFile(resolve(context.directory, file), 'utf8').catch(() => {
    throw usage(`There is no signed command at ${file}.`, 'Give a file that `landfall command sign` wrote.')
  })
  return parseEnvelope(text.trim())
}

/** `legacy=./images/legacy` → the layout's directory, by resource. */
function imagesOf(context: Context, given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const [name, dir] = text.split(/=(.*)/s)
      if (!name || !dir) throw usage(`--image ${text} does not say which image it is.`, 'Write --image NAME=DIRECTORY.')
      return [name, resolve(context.directory, dir)]
    }),
  )
}

const usage = (message: string, hint: string) => new LandfallError({ code: 'E_USAGE', message, hint })

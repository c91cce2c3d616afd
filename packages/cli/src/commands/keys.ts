import { rename } from 'node:fs/promises'
import {
  createSigningKey,
  envelopePayload,
  type KeysetKey,
  keysetEntry,
  keysetPayloadType,
  type SigningKey,
  signKeyset,
  verifyKeyset,
  writeKeyFile,
} from '@landfall/release'
import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { Context, World } from '../context/context.ts'
import { createKeys, keyDirectory, keyFile, readKey } from '../keys/key-store.ts'
import { define, family } from './define.ts'

const year = 366 * 86_400_000

interface CurrentKeyset {
  version: number
  keys: KeysetKey[]
}

/**
 * The keyset that the manager holds. With `root` it is proved first: what is signed anew by the root must come from the root,
 * or a manager could have keys of its own put into it.
 */
async function currentKeyset(context: Context, project: string, root?: SigningKey): Promise<CurrentKeyset> {
  const { envelope } = await context.client().getKeyset({ params: { project } })
  if (root) return verifyKeyset(envelope, { root, minVersion: 1, now: Date.now(), project, allowExpired: true })
  return JSON.parse(Buffer.from(envelopePayload(envelope, keysetPayloadType)).toString('utf8'))
}

async function publish(
  context: Context,
  project: string,
  root: SigningKey,
  from: CurrentKeyset,
  keys: KeysetKey[],
): Promise<number> {
  const envelope = await signKeyset(
    { project, version: from.version + 1, expiresAt: new Date(Date.now() + year).toISOString(), keys },
    root,
  )
  const { version } = await context.client().putKeyset({ params: { project }, body: { envelope } })
  return version
}

export function keyCommands(program: Command, world: World): void {
  const keys = family(program, 'keys', 'The root key, the keys that sign releases, and the keyset that names them')
  define(keys, world, {
    name: 'create',
    summary: "Make a project's root and vendor keys on this machine (LANDFALL_KEY_PASSPHRASE encrypts them)",
    examples: ['keys create --project acme-invoices'],
    async run(context) {
      const made = await createKeys(context.environment, context.project(), Date.now())
      context.output.data(
        { directory: made.directory, rootPublicKey: made.rootPublicKey },
        (item) => `Keys are in ${item.directory}. Keep root.pem offline: it signs keysets and nothing else.`,
      )
      context.output.next('landfall projects create NAME   (gives the manager the public half)')
    },
  })
  define(keys, world, {
    name: 'ls',
    summary: 'Keys of the keyset in force',
    examples: ['keys ls'],
    async run(context) {
      const current = await currentKeyset(context, context.project())
      context.output.data(current, (item) =>
        context.output.table(item.keys, [
          { title: 'key', value: (key) => key.id.slice(0, 16) },
          { title: 'kind', value: (key) => key.kind },
          {
            title: 'state',
            value: (key) =>
              key.revokedAt ? `revoked ${key.revokedAt}` : key.notAfter ? `retires ${key.notAfter}` : 'in use',
          },
        ]),
      )
    },
  })
  define(keys, world, {
    name: 'rotate',
    summary: 'Make a new vendor key, put it into a newer keyset, and retire the old one from now on',
    examples: ['keys rotate'],
    async run(context) {
      const project = context.project()
      const root = await readKey(context.environment, project, 'root')
      const current = await currentKeyset(context, project, root)
      const directory = keyDirectory(context.environment, project)
      const next = createSigningKey('vendor')
      const old = await readKey(context.environment, project, 'vendor')
      const now = new Date().toISOString()
      const staged = `${keyFile(directory, 'vendor')}.next`
      await writeKeyFile(staged, next, context.environment.LANDFALL_KEY_PASSPHRASE)
      const version = await publish(context, project, root, current, [
        ...current.keys.map((key) => (key.id === old.id ? { ...key, notAfter: now } : key)),
        keysetEntry('vendor', next),
      ])
      await rename(keyFile(directory, 'vendor'), `${keyFile(directory, 'vendor')}.retired-${old.id.slice(0, 12)}`)
      await rename(staged, keyFile(directory, 'vendor'))
      context.output.data(
        { version, key: next.id },
        (item) => `Keyset ${item.version}: releases are signed by ${item.key.slice(0, 16)} from now on.`,
      )
    },
  })
  define(keys, world, {
    name: 'revoke',
    summary: 'Revoke a key: nothing that it signed is accepted any more',
    examples: ['keys revoke 3f9a1c2b4d5e6f70'],
    configure: (command) => command.argument('<key>', 'id, or its first digits'),
    async run(context, [id = '']) {
      const project = context.project()
      const root = await readKey(context.environment, project, 'root')
      const current = await currentKeyset(context, project, root)
      const matching = current.keys.filter((key) => key.id.startsWith(id))
      if (matching.length !== 1) {
        throw new LandfallError({
          code: 'E_USAGE',
          message: `${matching.length} keys begin with ${id}.`,
          hint: 'See `landfall keys ls` and give more digits.',
        })
      }
      const version = await publish(
        context,
        project,
        root,
        current,
        current.keys.map((key) => (key === matching[0] ? { ...key, revokedAt: new Date().toISOString() } : key)),
      )
      context.output.data(
        { version, revoked: matching[0]?.id },
        (item) => `Keyset ${item.version}: ${item.revoked?.slice(0, 16)} is revoked.`,
      )
    },
  })
}

import { createReceipt, type Envelope, type ImportRecord, readBlob } from '@landfall/release'
import { LandfallError } from '@landfall/stack'
import type { AgentParts } from '../parts.ts'
import { confirmedBy } from '../site/confirm-exports.ts'
import { type Imported, importedBundle, putImported } from './imported.ts'
import { orderInBundle } from './order-in-bundle.ts'

/**
 * Applies what was imported: keyset, order, then commands. What is durable says how far it came, so that calling it again, after a
 * kill or by the same bundle given twice, goes on and does nothing twice.
 */
export async function applyImport(parts: AgentParts, record: ImportRecord, by: string): Promise<Imported> {
  const { state, sources, audit, orders, setup, identity, clock } = parts
  let imported = importedBundle(state, record.bundle)
  if (!imported) {
    const { bundles, trust } = sources
    const read = async (digest: string) => Buffer.from(await readBlob(bundles.read, { digest }))
    const order = await orderInBundle(record.attachments, read)
    const keyset = await bundles.envelope(record.keyset.digest)
    const rotations: Envelope[] = []
    for (const digest of record.keyset.rotations) rotations.push(await bundles.envelope(digest))
    const receipt = await createReceipt(record, { deployment: setup.deployment.id, agent: identity.signer })
    imported = state.transaction(() => {
      // Sync may have brought a newer one since; the bundle was proved by the one it carries.
      if (record.keyset.version >= trust.version()) trust.take({ envelope: keyset, rotations }, clock.now())
      const taken = order !== null && orders.apply(order, `bundle ${short(record.bundle)}`)
      if (order !== null) confirmedBy(parts, order)
      const result: Imported = {
        bundle: record.bundle,
        importedAt: record.importedAt,
        by,
        releases: record.releases.map((release) => release.version),
        generation: taken ? (orders.current()?.generation ?? null) : null,
        pending: record.commands.map(({ id, digest }) => ({ id, digest })),
        commands: [],
        refusedCommands: record.refusedCommands,
        receipt,
      }
      putImported(state, result)
      const brought = [
        ...result.releases.map((version) => `release ${version}`),
        ...(result.generation === null ? [] : [`order ${result.generation}`]),
        ...(result.pending.length === 0 ? [] : [`${result.pending.length} commands`]),
      ]
      audit.append(setup.deployment.id, [
        {
          at: clock.now(),
          type: 'bundle.imported',
          actor: by,
          message: `Imported bundle ${short(record.bundle)}: ${brought.join(', ') || 'keys alone'}`,
          data: { bundle: record.bundle, releases: record.releases.map((release) => release.digest) },
        },
      ])
      return result
    })
    parts.changed()
  }
  for (const { id, digest } of imported.pending) imported = await handOver(parts, imported, id, digest)
  return imported
}

const short = (digest: string) => digest.slice(0, 19)

/** One command to the queue. A kill in between finds it there already: the queue refuses the nonce, and that is no failure. */
async function handOver(parts: AgentParts, imported: Imported, id: string, digest: string): Promise<Imported> {
  const { state, sources, commands } = parts
  const envelope = await sources.bundles.envelope(digest)
  const refused: string | null = await commands.accept(JSON.stringify(envelope)).then(
    () => null,
    (error: unknown) => {
      // A full queue has room later: the next import or start goes on.
      if (LandfallError.is(error) && error.code.startsWith('E_COMMAND_') && !error.retryable) return error.code
      throw error
    },
  )
  const next: Imported = {
    ...imported,
    pending: imported.pending.filter((other) => other.id !== id),
    commands: [...imported.commands, ...(refused === null || refused === 'E_COMMAND_REPLAYED' ? [id] : [])],
    refusedCommands: [
      ...imported.refusedCommands,
      ...(refused === null || refused === 'E_COMMAND_REPLAYED' ? [] : [{ id, code: refused }]),
    ],
  }
  putImported(state, next)
  return next
}

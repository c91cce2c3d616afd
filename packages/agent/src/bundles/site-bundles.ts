import { order as orderSchema } from '@landfall/contract'
import { importBundle } from '@landfall/release'
import { nonceSeen } from '../commands/nonces.ts'
import { checkOrder } from '../orders/check-order.ts'
import type { AgentParts } from '../parts.ts'
import { referenced } from '../sources/referenced.ts'
import { applyImport } from './apply-import.ts'
import { forgetGone, type Imported, importedBundle } from './imported.ts'
import { orderInBundle } from './order-in-bundle.ts'

export interface SiteImportOptions {
  /** Makes releases available that are older than what was accepted. The engine still takes none of them as an update. */
  allowOlder?: boolean
  /** For the audit. */
  by: string
  /** Bytes that are verified, of all. */
  onProgress?: (done: number, total: number) => void
}

/** Imports of a site, with or without a network: everything is verified before anything is applied. */
export interface SiteBundles {
  /** @throws LandfallError as `importBundle` and `Orders.apply`; what was verified is kept for the next try, nothing is applied */
  import(file: string, options: SiteImportOptions): Promise<{ status: 'imported' | 'already'; imported: Imported }>
  /** Applies what a process before this one had imported and not applied. Call it at the start, before anything runs. */
  resume(): Promise<Imported[]>
}

export function openSiteBundles(parts: AgentParts): SiteBundles {
  const { state, sources, setup, clock, store } = parts
  const { bundles, trust } = sources
  const { id, project } = setup.deployment
  /** One at a time: two bundles must not race for the floor that each of them is checked against. */
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const mine = last.then(act)
    last = mine.catch(() => undefined)
    return mine
  }

  async function take(file: string, options: SiteImportOptions) {
    const { allowOlder = false, by, onProgress } = options
    const { record } = await importBundle(file, bundles, {
      root: trust.root(),
      minKeysetVersion: Math.max(1, trust.version()),
      project,
      deployment: id,
      now: clock.now(),
      sequenceFloor: store.look(id)?.state?.sequence ?? 0,
      allowOlder,
      trust: setup.policy.trustedKeys,
      commandFailures: 'skip',
      nonces: { seen: async (nonce) => nonceSeen(state, nonce) || bundles.nonces.seen(nonce) },
      accept: async ({ attachments }, read) => {
        const order = await orderInBundle(attachments, read)
        if (order !== null) checkOrder(orderSchema, order, setup)
      },
      ...(onProgress && { onProgress: ({ bytes, totalBytes }) => onProgress(bytes, totalBytes) }),
    })
    const before = importedBundle(state, record.bundle)
    const imported = await applyImport(parts, record, by)
    await clear()
    return { status: before && before.pending.length === 0 ? ('already' as const) : ('imported' as const), imported }
  }

  /** Drops what no target, stable or way back needs. A failure here takes nothing from the import. */
  async function clear(): Promise<void> {
    try {
      const needed = await referenced(store, sources.releases, id)
      if (!needed) return
      await bundles.retain(needed.releases)
      forgetGone(state, new Set((await bundles.imports()).map((record) => record.bundle)))
    } catch (error) {
      parts.log.warn('old bundles were not cleared away', { error: String(error) })
    }
  }

  return {
    import: (file, options) => inTurn(() => take(file, options)),
    resume: () =>
      inTurn(async () => {
        const resumed = []
        for (const record of await bundles.imports()) {
          const known = importedBundle(state, record.bundle)
          if (known && known.pending.length === 0) continue
          resumed.push(await applyImport(parts, record, known?.by ?? 'agent'))
        }
        return resumed
      }),
  }
}

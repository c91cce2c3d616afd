import { digest, problemsOf, resourceName } from '@landfall/stack'
import { z } from 'zod'
import { type Envelope, signEnvelope } from '../dsse/envelope.ts'
import { canonicalBytes } from '../json/canonical-bytes.ts'
import type { PublicKey, Signer } from '../keys/signing-key.ts'
import { keyId, timestamp } from '../keyset/keyset.ts'
import { releaseVersion } from '../statement/statement.ts'
import { deploymentId } from './bundle-statement.ts'
import { exportRefused } from './export/export-errors.ts'
import { requireSignedBy } from './signed-document.ts'
import type { ImportRecord } from './store/record.ts'

export const receiptSchemaId = 'landfall.dev/receipt/v1'
export const receiptPayloadType = 'application/vnd.landfall.receipt.v1+json'

const release = z.strictObject({ digest, version: releaseVersion, sequence: z.number().int().min(1) })
const amount = z.strictObject({ blobs: z.number().int().nonnegative(), bytes: z.number().int().nonnegative() })

/** An agent's word that it imported a bundle. It says nothing of what was then applied: that is the status, in the export. */
export const receipt = z.strictObject({
  schema: z.literal(receiptSchemaId),
  project: resourceName,
  deployment: deploymentId,
  /** The agent's key. */
  agent: keyId,
  bundle: digest,
  importedAt: timestamp,
  keysetVersion: z.number().int().min(1),
  /** Available to the deployment from then on. */
  releases: z.array(release),
  /** Carried, and not offered: older than what was accepted already. */
  belowFloor: z.array(release),
  commands: z.array(z.strictObject({ id: z.string(), digest })),
  refusedCommands: z.array(z.strictObject({ id: z.string(), code: z.string() })),
  attachments: z.array(z.strictObject({ name: z.string(), digest })),
  written: amount,
  present: amount,
})
export type Receipt = z.infer<typeof receipt>

/** Makes and signs the receipt of a finished import. The same record and key give the same bytes. */
export async function createReceipt(
  record: ImportRecord,
  options: { deployment: string; agent: Signer },
): Promise<Envelope> {
  const brief = ({ digest: name, version, sequence }: z.infer<typeof release>) => ({ digest: name, version, sequence })
  const value: Receipt = {
    schema: receiptSchemaId,
    project: record.project,
    deployment: options.deployment,
    agent: options.agent.id,
    bundle: record.bundle,
    importedAt: record.importedAt,
    keysetVersion: record.keyset.version,
    releases: record.releases.map(brief),
    belowFloor: record.belowFloor.map(brief),
    commands: record.commands.map(({ id, digest: name }) => ({ id, digest: name })),
    refusedCommands: record.refusedCommands,
    attachments: record.attachments.map(({ name, digest: blob }) => ({ name, digest: blob })),
    written: record.written,
    present: record.present,
  }
  return signEnvelope(receiptPayloadType, canonicalBytes(receipt.parse(value)), [options.agent])
}

/**
 * Proves a receipt by the key that the agent enrolled with.
 *
 * @throws LandfallError `E_RECEIPT_INVALID`, `E_EXPORT_DEPLOYMENT`, `E_SIGNATURE_*`, `E_KEY_UNKNOWN`, those of reading an envelope
 */
export function verifyReceipt(
  envelope: Envelope,
  options: { agent: PublicKey; project: string; deployment: string },
): Receipt {
  const value = requireSignedBy(envelope, {
    payloadType: receiptPayloadType,
    what: 'receipt',
    key: options.agent,
    parse(raw) {
      const parsed = receipt.safeParse(raw)
      if (parsed.success && parsed.data.agent === options.agent.id) return parsed.data
      throw exportRefused('E_RECEIPT_INVALID', 'The receipt does not have the shape of one.', {
        hint: 'Ask the site for the receipt as its agent wrote it.',
        problems: parsed.success ? [] : problemsOf(parsed.error, raw),
      })
    },
  })
  if (value.project !== options.project || value.deployment !== options.deployment) {
    throw exportRefused('E_EXPORT_DEPLOYMENT', `The receipt is of the deployment ${value.deployment}.`, {
      hint: 'Check which site the file came from.',
    })
  }
  return value
}

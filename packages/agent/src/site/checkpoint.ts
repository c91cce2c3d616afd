import type { AuditHead } from '@landfall/contract'
import type { Signer } from '@landfall/release'
import { canonicalJson } from '@landfall/stack'

/** The agent's word for where its audit chain stood: links that say otherwise later were rewritten. */
export interface AuditCheckpoint {
  deployment: string
  number: number
  hash: string
  /** ISO 8601. */
  at: string
  /** Ed25519 in base64, over the canonical JSON of the other fields (RFC 8785). */
  signature: string
}

export async function checkpointOf(
  deployment: string,
  { number, hash }: AuditHead,
  at: number,
  signer: Signer,
): Promise<AuditCheckpoint> {
  const content = { deployment, number, hash, at: new Date(at).toISOString() }
  const signature = await signer.sign(Buffer.from(canonicalJson(content)))
  return { ...content, signature: Buffer.from(signature).toString('base64') }
}

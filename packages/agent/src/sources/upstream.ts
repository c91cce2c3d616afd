import type { Envelope } from '@landfall/release'
import type { Digest } from '@landfall/stack'

/** Where content comes from that is not at the site yet: the manager, by the agent's session. Absent without network. */
export interface Upstream {
  /** Null: the manager does not have it for this deployment. @throws LandfallError `E_UNREACHABLE` and others, retryable */
  release(digest: Digest): Promise<Envelope | null>
  keyset(): Promise<{ version: number; envelope: Envelope; rotations: Envelope[] }>
  /** Content from byte `from` on. `total`: its whole length, where it is said. The caller proves the digest. */
  blob(digest: Digest, from: number, signal: AbortSignal): Promise<BlobStream>
}

export interface BlobStream {
  /** Where the content given really begins: 0 where going on is not supported. */
  from: number
  total: number | null
  content: AsyncIterable<Uint8Array>
}

import type { Release } from '../../api/types.ts'
import { listed } from '../../format/words.ts'
import { Icon } from '../../ui/icon.tsx'

/** By whose key the release is signed; nothing unsigned runs. */
export function Signature({ release }: { release: Pick<Release, 'signedBy'> }) {
  const kinds = [...new Set(release.signedBy.map((signer) => signer.kind))]
  if (kinds.length === 0) {
    return (
      <span className="status danger">
        <Icon name="failed" /> not signed
      </span>
    )
  }
  return (
    <span
      className="status good"
      title={release.signedBy.map((signer) => `${signer.kind} key ${signer.keyid}`).join(', ')}
    >
      <Icon name="key" /> {listed(kinds)} key
    </span>
  )
}

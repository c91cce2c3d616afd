const maxAttributes = 128
const maxBytes = 16_384

/**
 * Attributes within what one record may take in the store: the first 128, and as many of them as are together below 16 KiB of JSON.
 * What was left out is counted under `landfall.dropped`.
 */
export function boundedAttributes(attributes: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(attributes)
  const kept: typeof entries = []
  let bytes = 0
  for (const entry of entries) {
    const size = JSON.stringify(entry).length
    if (kept.length >= maxAttributes || bytes + size > maxBytes) continue
    bytes += size
    kept.push(entry)
  }
  const dropped = entries.length - kept.length
  return dropped === 0 ? attributes : { ...Object.fromEntries(kept), 'landfall.dropped': dropped }
}

/**
 * Decodes base64 in the standard or the URL-safe alphabet: DSSE wants verifiers to take both. Strict in everything else,
 * so that one value has one spelling per alphabet: no white space, no mixed alphabets, no leftover bits; padding is right
 * or, in the URL-safe alphabet, absent. Null on anything else.
 */
export function decodeBase64(text: string): Uint8Array | null {
  const standard = /^[A-Za-z0-9+/]*={0,2}$/.test(text)
  const urlSafe = /^[A-Za-z0-9_-]*={0,2}$/.test(text)
  if (!standard && !urlSafe) return null
  const bytes = Buffer.from(text, standard ? 'base64' : 'base64url')
  const padded = bytes.toString('base64')
  if (standard && padded === text) return new Uint8Array(bytes)
  const unpadded = bytes.toString('base64url')
  if (urlSafe && (text === unpadded || text === unpadded + padded.slice(unpadded.length))) return new Uint8Array(bytes)
  return null
}

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

const mask = '[redacted]'

/**
 * Replaces every occurrence of the given secrets in a text, the longest first, also in their percent-encoded, base64 and
 * JSON-escaped forms. Secrets shorter than four characters are left, because masking them would tell more than it hides.
 */
export function redact(text: string, secrets: Iterable<string>): string {
  const forms = new Set<string>()
  for (const secret of secrets) {
    if (secret.length < 4) continue
    forms.add(secret)
    forms.add(JSON.stringify(secret).slice(1, -1))
    if (secret.isWellFormed()) forms.add(encodeURIComponent(secret))
    const bytes = new TextEncoder().encode(secret)
    forms.add(btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')))
  }
  let result = text
  for (const form of [...forms].sort((a, b) => b.length - a.length)) result = result.replaceAll(form, mask)
  return result
}

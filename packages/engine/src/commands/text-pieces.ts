/** The longest start of a text of at most `length` UTF-16 units that splits no character. */
export function cutText(text: string, length: number): string {
  if (text.length <= length) return text
  const last = text.charCodeAt(length - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff && length > 1 ? length - 1 : length)
}

/** The longest start of a text of at most `bytes` bytes in UTF-8 that splits no character. */
export function cutBytes(text: string, bytes: number): string {
  if (bytes <= 0) return ''
  if (text.length * 3 <= bytes) return text
  const encoded = Buffer.from(text)
  if (encoded.byteLength <= bytes) return text
  let end = bytes
  while (end > 0 && ((encoded[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return encoded.subarray(0, end).toString()
}

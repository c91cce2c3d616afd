/** Tar is made of blocks of this many bytes. */
export const tarBlock = 512
/** What eleven octal digits can say; larger entries would need an extension that not every reader knows. */
export const maxTarEntry = 0o77777777777

/** Bytes of zeros after content of `size` bytes. */
export const tarPadding = (size: number): number => (tarBlock - (size % tarBlock)) % tarBlock

/** Bytes that an entry takes in the archive. */
export const tarEntryBytes = (size: number): number => tarBlock + size + tarPadding(size)

/**
 * The one header that Landfall writes for a regular file (POSIX.1-1988 ustar): mode 0644, owner and time 0. Readers here
 * compare with it byte by byte, so a header has no bit that could be changed unnoticed.
 */
export function tarHeader(name: string, size: number): Buffer {
  if (Buffer.byteLength(name) > 100) throw new RangeError(`the name is too long for a tar header: ${name}`)
  if (size > maxTarEntry) throw new RangeError(`${name} is too large for a tar header`)
  const bytes = Buffer.alloc(tarBlock)
  bytes.write(name, 0)
  bytes.write('0000644\0', 100)
  bytes.write('0000000\0', 108)
  bytes.write('0000000\0', 116)
  bytes.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  bytes.write('00000000000\0', 136)
  bytes.write('        ', 148)
  bytes.write('0', 156)
  bytes.write('ustar\0', 257)
  bytes.write('00', 263)
  bytes.write(`${checksum(bytes).toString(8).padStart(6, '0')}\0 `, 148)
  return bytes
}

/** The size a header declares, or null when it is not written as we write it. */
export function declaredSize(header: Uint8Array): number | null {
  const text = Buffer.from(header.subarray(124, 136)).toString('latin1')
  return /^[0-7]{11}\0$/.test(text) ? Number.parseInt(text, 8) : null
}

/**
 * Says in words why a header is not the expected one: what a person can act on. Only called when the bytes differ, so it
 * need not be complete to be safe.
 */
export function whyRefused(header: Uint8Array, expected: string, seen: ReadonlySet<string>): string {
  const bytes = Buffer.from(header)
  const stored = Number.parseInt(bytes.subarray(148, 156).toString('latin1'), 8)
  const blank = Buffer.from(bytes).fill(' ', 148, 156)
  if (stored !== checksum(blank)) return 'a header in it is damaged'
  const kind = kinds[String.fromCharCode(bytes[156] ?? 0)]
  if (kind) return `it holds ${kind}, and only plain files are allowed`
  const name = bytes.subarray(0, 100).toString('utf8').replace(/\0.*$/s, '')
  const prefix = bytes.subarray(345, 500).some((byte) => byte !== 0)
  if (prefix || /^[/\\]|(^|[/\\])\.\.([/\\]|$)|^[A-Za-z]:/.test(name)) return 'a path in it leads out of the layout'
  if (seen.has(name)) return `it holds ${printable(name)} twice`
  if (name !== expected) return `it holds ${printable(name)} where ${expected} belongs`
  return `the header of ${expected} does not say what was signed (its size, or its attributes)`
}

const kinds: Record<string, string> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a character device',
  '4': 'a block device',
  '5': 'a directory',
  '6': 'a named pipe',
  '7': 'a contiguous file',
  x: 'an extended header',
  g: 'a global extended header',
  L: 'a GNU long name',
  K: 'a GNU long link',
  S: 'a sparse file',
}

/** Names come from an untrusted file and end on a terminal. */
const printable = (name: string) => JSON.stringify(name.replace(/[^\x20-\x7e]/g, '?').slice(0, 100))

function checksum(header: Uint8Array): number {
  return header.reduce((total, byte) => total + byte, 0)
}

/** One regular file of a tar archive. */
export interface TarFile {
  path: string
  mode: number
  content: Uint8Array
}

const block = 512

/**
 * Regular files of a POSIX tar (ustar with pax `path` records), as `packages/release` writes it. Throws `RangeError` on
 * anything that could reach outside of the target: absolute paths, `..`, links, devices.
 */
export function readTar(bytes: Uint8Array): TarFile[] {
  const files: TarFile[] = []
  let paxPath: string | null = null
  for (let at = 0; at + block <= bytes.length; ) {
    const header = bytes.subarray(at, at + block)
    if (header.every((byte) => byte === 0)) break
    const size = octal(header, 124, 12)
    const kind = String.fromCharCode(header[156] ?? 0)
    const content = bytes.subarray(at + block, at + block + size)
    if (content.length < size) throw new RangeError('the archive ends too early')
    at += block + Math.ceil(size / block) * block
    if (kind === 'x') {
      paxPath = paxRecord(content, 'path')
      continue
    }
    if (kind === 'g' || kind === '5') continue
    if (kind !== '0' && kind !== '\0')
      throw new RangeError(`the archive holds something else than files (type ${kind})`)
    const prefix = text(header, 345, 155)
    const path = paxPath ?? (prefix ? `${prefix}/` : '') + text(header, 0, 100)
    paxPath = null
    files.push({ path: checkedPath(path), mode: octal(header, 100, 8), content })
  }
  return files
}

function checkedPath(path: string): string {
  const clean = path.replace(/^\.\//, '')
  const parts = clean.split('/')
  if (clean === '' || clean.startsWith('/') || clean.includes('\0') || parts.includes('..')) {
    throw new RangeError(`the archive names a path outside of itself: ${JSON.stringify(path)}`)
  }
  return clean
}

function text(header: Uint8Array, from: number, length: number): string {
  const field = header.subarray(from, from + length)
  const end = field.indexOf(0)
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString('utf8')
}

function octal(header: Uint8Array, from: number, length: number): number {
  const value = Number.parseInt(text(header, from, length).trim() || '0', 8)
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('the archive has a broken number')
  return value
}

/** Pax records are `<length> <key>=<value>\n`. */
function paxRecord(content: Uint8Array, key: string): string | null {
  const records = Buffer.from(content).toString('utf8').split('\n')
  for (const record of records) {
    const match = /^\d+ ([^=]+)=(.*)$/s.exec(record)
    if (match?.[1] === key) return match[2] ?? null
  }
  return null
}

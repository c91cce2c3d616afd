import { LandfallError } from '@landfall/stack'

const block = 512

/**
 * A ustar archive (POSIX.1-1988) of regular files, the same bytes for the same files: sorted by name, mode 0644, owner and
 * time 0. Names are at most 100 bytes: all that a worker's image needs.
 */
export function createTar(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const parts: Uint8Array[] = []
  for (const [name, content] of Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))) {
    parts.push(header(name, content.length), content, new Uint8Array(padding(content.length)))
  }
  // Two empty blocks end an archive.
  parts.push(new Uint8Array(2 * block))
  return Buffer.concat(parts)
}

function header(name: string, size: number): Uint8Array {
  const bytes = Buffer.alloc(block)
  if (Buffer.byteLength(name) > 100) throw new RangeError(`the name is too long for a tar header: ${name}`)
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
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return bytes
}

/** Reads what `createTar` writes: regular files with plain relative names. Throws `E_ARTIFACT_INVALID` on anything else. */
export function readTar(bytes: Uint8Array): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = Object.create(null)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at + block <= buffer.length; ) {
    const head = buffer.subarray(at, at + block)
    if (head.every((byte) => byte === 0)) return files
    const name = head.subarray(0, 100).toString('utf8').replace(/\0.*$/s, '')
    const size = Number.parseInt(head.subarray(124, 136).toString('latin1'), 8)
    if (head[156] !== 0x30 || !/^[\w.-]+(\/[\w.-]+)*$/.test(name) || name.split('/').includes('..')) throw invalid()
    if (!Number.isSafeInteger(size) || at + block + size > buffer.length) throw invalid()
    files[name] = buffer.subarray(at + block, at + block + size)
    at += block + size + padding(size)
  }
  throw invalid()
}

const padding = (size: number) => (block - (size % block)) % block

function invalid(): LandfallError {
  return new LandfallError({
    code: 'E_ARTIFACT_INVALID',
    message: "The layer of a worker's image is not an archive of plain files.",
    hint: 'Build the release again.',
  })
}

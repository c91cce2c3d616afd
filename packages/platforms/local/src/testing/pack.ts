import { createHash } from 'node:crypto'

/** A minimal ustar archive of text files, as a release would hold it. */
export function pack(files: Readonly<Record<string, string>>): { digest: string; bytes: Uint8Array } {
  const parts: Buffer[] = []
  for (const [name, text] of Object.entries(files)) {
    const content = Buffer.from(text)
    const header = Buffer.alloc(512)
    header.write(name, 0)
    header.write('0000644\0', 100)
    header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
    header.write('0', 156)
    header.write('ustar\x0000', 257)
    parts.push(header, content, Buffer.alloc((512 - (content.length % 512)) % 512))
  }
  const bytes = Buffer.concat([...parts, Buffer.alloc(1024)])
  return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, bytes }
}

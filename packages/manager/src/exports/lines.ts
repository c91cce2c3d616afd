import { LandfallError } from '@landfall/stack'

/** The lines of a stream, without their ends, each at most `maxBytes`. Throws `E_EXPORT_INVALID` for a longer one. */
export async function* lines(content: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = []
  let held = 0
  const take = (chunk: Uint8Array) => {
    held += chunk.length
    if (held > maxBytes) throw tooLong(maxBytes)
    parts.push(chunk)
  }
  for await (const chunk of content) {
    let from = 0
    for (let end = chunk.indexOf(10, from); end >= 0; end = chunk.indexOf(10, from)) {
      take(chunk.subarray(from, end))
      if (held > 0) yield Buffer.concat(parts)
      parts = []
      held = 0
      from = end + 1
    }
    // A copy: the reader may use its buffer again.
    take(Uint8Array.from(chunk.subarray(from)))
  }
  if (held > 0) yield Buffer.concat(parts)
}

function tooLong(maxBytes: number): LandfallError {
  return new LandfallError({
    code: 'E_EXPORT_INVALID',
    message: `The export is not valid: a line of telemetry in it is longer than ${maxBytes} bytes.`,
    hint: 'Check that this is a file that `landfall agent export` made, and get it again from the site.',
  })
}

import type { Readable } from 'node:stream'

const maxLine = 8 * 1024 * 1024

/**
 * Lines of a stream, without their ends; a last one that is cut off counts too. Errors of the stream are thrown here and
 * nowhere else. Not `node:readline`: its interface emits `error` for a stream that breaks after its reader has left, and
 * an event that nobody listens to ends the process.
 *
 * @throws RangeError at a line beyond 8 MiB
 */
export async function* linesOf(stream: Readable): AsyncGenerator<string> {
  // Whoever reads gets the error from the iterator; one that comes after it has left is nobody's.
  stream.on('error', () => {})
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    rest += decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line
    if (rest.length > maxLine) throw new RangeError('a line is longer than 8 MiB')
  }
  rest += decoder.decode()
  if (rest !== '') yield rest
}

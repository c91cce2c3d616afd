import { LandfallError } from '@landfall/stack'

/**
 * `JSON.parse` that also refuses an object with the same key twice (two readers may disagree on which one counts) and
 * text longer than `maxBytes`. Throws `E_JSON_INVALID` or `E_TOO_LARGE`; neither quotes the text.
 */
export function parseStrictJson(text: string, options: { maxBytes: number; what: string }): unknown {
  if (Buffer.byteLength(text) > options.maxBytes) throw tooLarge(options.what, options.maxBytes)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalid(options.what, 'it does not parse')
  }
  const twice = duplicateKey(text)
  if (twice) throw invalid(options.what, 'an object in it has the same key twice')
  return value
}

export function tooLarge(what: string, maxBytes: number): LandfallError {
  return new LandfallError({
    code: 'E_TOO_LARGE',
    message: `The ${what} is larger than ${maxBytes} bytes.`,
    hint: 'Nothing that Landfall writes is this large: get the file again from where it came.',
  })
}

function invalid(what: string, why: string): LandfallError {
  return new LandfallError({
    code: 'E_JSON_INVALID',
    message: `The ${what} is not valid JSON: ${why}.`,
    hint: 'Get the file again from where it came; do not edit it by hand.',
  })
}

/** Whether valid JSON `text` has an object with a repeated key. One pass: strings directly after `{` or an object's `,` are keys. */
function duplicateKey(text: string): boolean {
  const open: (Set<string> | null)[] = []
  let keyNext = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '"') {
      let end = at + 1
      while (text[end] !== '"') end += text[end] === '\\' ? 2 : 1
      const keys = open.at(-1)
      if (keyNext && keys) {
        const key: unknown = JSON.parse(text.slice(at, end + 1))
        if (typeof key !== 'string' || keys.has(key)) return true
        keys.add(key)
        keyNext = false
      }
      at = end
    } else if (char === '{') {
      open.push(new Set())
      keyNext = true
    } else if (char === '[') {
      open.push(null)
      keyNext = false
    } else if (char === '}' || char === ']') {
      open.pop()
      keyNext = false
    } else if (char === ',') keyNext = open.at(-1) instanceof Set
  }
  return false
}

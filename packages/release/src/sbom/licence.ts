/** How CycloneDX 1.6 writes a licence. */
export type LicenceChoice = { license: { id: string } } | { license: { name: string } } | { expression: string }

/** SPDX ids that nearly every npm package has. CycloneDX's `id` takes only ids of the SPDX list; any other valid one is an expression. */
const commonIds = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'CC-BY-4.0',
  'ISC',
  'MIT',
  'MIT-0',
  'MPL-2.0',
  'Python-2.0',
  'Unlicense',
])

/**
 * The licence of a package.json's `license` (or old `licenses`) field; none where it says nothing.
 * Fields: https://docs.npmjs.com/cli/configuring-npm/package-json#license
 */
export function licenceOf(description: Record<string, unknown>): LicenceChoice[] {
  const field = description.license ?? description.licenses
  const texts = (Array.isArray(field) ? field : [field]).map(textOf).filter((text) => text !== undefined)
  const [first] = texts
  if (first === undefined) return []
  // The old form of a list means: any of them, at the user's choice.
  const text = texts.length > 1 ? `(${texts.join(' OR ')})` : first
  if (commonIds.has(text)) return [{ license: { id: text } }]
  return [isExpression(text) ? { expression: text } : { license: { name: text.slice(0, 200) } }]
}

function textOf(value: unknown): string | undefined {
  const text = typeof value === 'object' && value !== null && 'type' in value ? value.type : value
  return typeof text === 'string' && text.trim() !== '' ? text.trim() : undefined
}

/** The grammar of SPDX expressions (SPDX 2.3, annex D) but for nesting, which is only counted. */
function isExpression(text: string): boolean {
  const words = text.replace(/[()]/g, ' ').trim().split(/\s+/)
  const balanced = text.split('(').length === text.split(')').length
  return (
    balanced &&
    text !== 'UNLICENSED' &&
    words.every((word, at) =>
      at % 2 === 1 ? /^(AND|OR|WITH)$/.test(word) : /^(LicenseRef-|DocumentRef-)?[A-Za-z0-9.-]+\+?$/.test(word),
    ) &&
    words.length % 2 === 1
  )
}

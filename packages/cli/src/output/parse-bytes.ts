import { LandfallError } from '@landfall/stack'

const units: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }

/** `700M`, `2G`, `4096`: powers of 1024, as `split -b` reads them. Throws `E_USAGE`. */
export function parseBytes(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,12})([KMG]?)$/i.exec(text) ?? []
  const bytes = Number(number) * (units[unit.toUpperCase()] ?? 1)
  if (number !== '' && bytes > 0) return bytes
  throw new LandfallError({ code: 'E_USAGE', message: `${text} is no size.`, hint: 'Write it as 700M or 2G.' })
}

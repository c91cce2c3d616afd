import { customerPattern, type Line, type NewInvoice } from './invoice.ts'

export type Parsed = { ok: true; invoice: NewInvoice } | { ok: false; problems: string[] }

/** So that an invoice fits into one value of the index (64 KiB). */
const maxLines = 100
const currencies = ['EUR', 'USD', 'GBP', 'CHF']

/** Checks an invoice from outside and names all that is wrong with it at once. `currency`: for invoices that name none. */
export function parseInvoice(value: unknown, currency: string): Parsed {
  if (!isObject(value)) return { ok: false, problems: ['the invoice must be a JSON object'] }
  const problems: string[] = []
  const known = ['customer', 'number', 'issuedOn', 'currency', 'lines']
  for (const key of Object.keys(value)) if (!known.includes(key)) problems.push(`${key} is not a field of an invoice`)

  const customer = text(value.customer)
  if (!customerPattern.test(customer))
    problems.push('customer must be lower-case letters, digits and dashes, at most 64')
  const number = text(value.number).trim()
  if (number === '' || number.length > 60) problems.push('number must be a text of 1 to 60 characters')
  const issuedOn = text(value.issuedOn)
  if (!isDay(issuedOn)) problems.push('issuedOn must be a date such as 2026-11-21')
  const own = value.currency === undefined ? currency : text(value.currency)
  if (!currencies.includes(own)) problems.push(`currency must be one of ${currencies.join(', ')}`)
  const lines = Array.isArray(value.lines) ? value.lines : []
  if (!Array.isArray(value.lines)) problems.push('lines must be a list')
  else if (lines.length > maxLines) problems.push(`lines must be at most ${maxLines}`)
  const parsed = lines.slice(0, maxLines).flatMap((line, at) => parseLine(line, `lines[${at}]`, problems))

  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, invoice: { customer, number, issuedOn, currency: own, lines: parsed } }
}

function parseLine(value: unknown, path: string, problems: string[]): Line[] {
  if (!isObject(value)) {
    problems.push(`${path} must be an object`)
    return []
  }
  const { description, quantity, unitPrice, vatPercent } = value
  const before = problems.length
  if (typeof description !== 'string' || description === '' || description.length > 200)
    problems.push(`${path}.description must be a text of 1 to 200 characters`)
  if (!isNumber(quantity) || quantity <= 0 || quantity > 1_000_000)
    problems.push(`${path}.quantity must be a number above 0, at most 1000000`)
  if (!isNumber(unitPrice) || !Number.isInteger(unitPrice) || Math.abs(unitPrice) > 1_000_000_000)
    problems.push(`${path}.unitPrice must be whole cents`)
  if (!isNumber(vatPercent) || vatPercent < 0 || vatPercent > 100)
    problems.push(`${path}.vatPercent must be a number from 0 to 100`)
  if (problems.length > before) return []
  return [
    {
      description: text(description),
      quantity: Number(quantity),
      unitPrice: Number(unitPrice),
      vatPercent: Number(vatPercent),
    },
  ]
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const text = (value: unknown) => (typeof value === 'string' ? value : '')

function isDay(value: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return false
  const date = new Date(`${value}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value)
}

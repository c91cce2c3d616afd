import type { Invoice } from './invoice.ts'

export const csvHeader = 'id,customer,number,issuedOn,currency,net,vat,gross,status\r\n'

/** One invoice as a line of CSV (RFC 4180), amounts with two decimals. */
export function csvLine(invoice: Invoice): string {
  const { id, customer, number, issuedOn, currency, status, totals } = invoice
  const amounts = totals ? [totals.net, totals.gross - totals.net, totals.gross].map(decimal) : ['', '', '']
  return `${[id, customer, number, issuedOn, currency, ...amounts, status].map(cell).join(',')}\r\n`
}

const decimal = (cents: number) => (cents / 100).toFixed(2)

/** Quoted where needed. A leading `=`, `+`, `-` or `@` of a text is a formula to a spreadsheet, so it is set behind a quote mark. */
function cell(value: string): string {
  const isAmount = /^-?\d+\.\d\d$/.test(value)
  const safe = !isAmount && /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

import { describe, expect, it } from 'vitest'
import { csvLine } from './csv.ts'
import type { Invoice, Line } from './invoice.ts'
import { parseInvoice } from './parse-invoice.ts'
import { localeOf, summaryOf } from './summary.ts'
import { totalsOf } from './totals.ts'

const line = (change: Partial<Line> = {}): Line => ({
  description: 'Hosting',
  quantity: 1,
  unitPrice: 1000,
  vatPercent: 20,
  ...change,
})
const invoice = (change: Partial<Invoice> = {}): Invoice => ({
  id: 'inv_1',
  customer: 'acme',
  number: '2026-7',
  issuedOn: '2026-11-21',
  currency: 'EUR',
  lines: [line()],
  receivedAt: '2026-11-21T10:00:00.000Z',
  status: 'received',
  ...change,
})

describe('totals', () => {
  it('are summed by rate, and each rate is rounded once', () => {
    const lines = [line({ unitPrice: 33 }), line({ unitPrice: 33 }), line({ unitPrice: 33 }), line({ vatPercent: 0 })]
    expect(totalsOf(lines)).toEqual({
      net: 1099,
      vat: [
        { percent: 0, net: 1000, vat: 0 },
        // 20% of 99 is 19.8; line by line it would be 3 × 7 = 21.
        { percent: 20, net: 99, vat: 20 },
      ],
      gross: 1119,
    })
  })

  it('round half away from zero, credit notes too', () => {
    expect(totalsOf([line({ unitPrice: 50, vatPercent: 5 })]).gross).toBe(53)
    expect(totalsOf([line({ unitPrice: -50, vatPercent: 5 })]).gross).toBe(-53)
    // 1.005 × 100 is 100.49999999999999 in binary.
    expect(totalsOf([line({ quantity: 1.005, unitPrice: 100, vatPercent: 0 })]).net).toBe(101)
  })

  it('of nothing are nothing', () => {
    expect(totalsOf([])).toEqual({ net: 0, vat: [], gross: 0 })
  })
})

describe('an invoice from outside', () => {
  const good = { customer: 'acme', number: ' 2026-7 ', issuedOn: '2026-11-21', lines: [line()] }

  it('is taken, with the currency of the installation where it names none', () => {
    expect(parseInvoice(good, 'CHF')).toEqual({
      ok: true,
      invoice: { ...good, number: '2026-7', currency: 'CHF' },
    })
    expect(parseInvoice({ ...good, currency: 'USD' }, 'CHF')).toMatchObject({ invoice: { currency: 'USD' } })
  })

  it.each([
    ['no object', null, 'the invoice must be a JSON object'],
    ['a list', [], 'the invoice must be a JSON object'],
    ['an unknown field', { ...good, paid: true }, 'paid is not a field of an invoice'],
    ['a customer that breaks keys', { ...good, customer: 'a/../b' }, 'customer must be'],
    ['a day that is none', { ...good, issuedOn: '2026-02-30' }, 'issuedOn must be'],
    ['another currency', { ...good, currency: 'DOGE' }, 'currency must be one of'],
    ['lines that are no list', { ...good, lines: 'x' }, 'lines must be a list'],
    ['too many lines', { ...good, lines: Array(101).fill(line()) }, 'lines must be at most 100'],
    ['parts of cents', { ...good, lines: [line({ unitPrice: 1.5 })] }, 'lines[0].unitPrice'],
    ['a negative quantity', { ...good, lines: [line({ quantity: -1 })] }, 'lines[0].quantity'],
    ['VAT above 100%', { ...good, lines: [line({ vatPercent: 101 })] }, 'lines[0].vatPercent'],
  ])('is refused with %s', (_, value, problem) => {
    const parsed = parseInvoice(value, 'EUR')
    expect(parsed.ok ? '' : parsed.problems.join('; ')).toContain(problem)
  })

  it('is told all its problems at once', () => {
    const parsed = parseInvoice({ lines: [1, {}] }, 'EUR')
    expect(parsed.ok ? [] : parsed.problems).toHaveLength(8)
  })
})

describe('a summary', () => {
  const done = invoice({ status: 'processed', totals: totalsOf([line({ unitPrice: 123456 })]) })

  it('is written for the reader', () => {
    expect(summaryOf(done)).toMatchObject({
      gross: '€1,481.47',
      vat: [{ rate: '20%', amount: '€246.91' }],
      final: true,
    })
    expect(summaryOf(done, 'de-DE').gross).toBe('1.481,47\u00a0€')
    expect(summaryOf(invoice()).final).toBe(false)
  })

  it.each([
    ['de-DE,en;q=0.8', 'de-DE'],
    ['not a tag, fr', 'fr'],
    ['', 'en-GB'],
    [null, 'en-GB'],
  ])('for "%s" is in %s', (header, locale) => {
    expect(localeOf(header)).toBe(locale)
  })
})

describe('a line of CSV', () => {
  it('is quoted where needed, and never a formula', () => {
    const totals = totalsOf([line({ unitPrice: -100 })])
    const text = csvLine(invoice({ number: '=1+1,"x"', status: 'processed', totals }))
    expect(text).toBe('inv_1,acme,"\'=1+1,""x""",2026-11-21,EUR,-1.00,-0.20,-1.20,processed\r\n')
  })
})

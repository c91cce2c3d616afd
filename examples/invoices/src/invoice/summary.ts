import type { Invoice } from './invoice.ts'

export interface Summary {
  id: string
  title: string
  /** Amounts as people read them, in the invoice's currency. */
  net: string
  vat: { rate: string; amount: string }[]
  gross: string
  /** False until the totals are worked out. */
  final: boolean
}

/** What a person wants to see of an invoice, written for their language. */
export function summaryOf(invoice: Invoice, locale = 'en-GB'): Summary {
  const money = new Intl.NumberFormat(locale, { style: 'currency', currency: invoice.currency })
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 2 })
  const amount = (cents: number) => money.format(cents / 100)
  const { totals } = invoice
  return {
    id: invoice.id,
    title: `${invoice.number} · ${invoice.customer} · ${invoice.issuedOn}`,
    net: amount(totals?.net ?? 0),
    vat: (totals?.vat ?? []).map((one) => ({ rate: percent.format(one.percent / 100), amount: amount(one.vat) })),
    gross: amount(totals?.gross ?? 0),
    final: totals !== undefined,
  }
}

/** The first language of an `Accept-Language` that numbers can be written in. */
export function localeOf(header: string | null): string {
  const wanted = (header ?? '').split(',').map((part) => part.split(';')[0]?.trim() ?? '')
  for (const tag of wanted) {
    try {
      const [known] = Intl.NumberFormat.supportedLocalesOf(tag)
      if (known) return known
    } catch {
      // Not a language tag: the next may be.
    }
  }
  return 'en-GB'
}

/** One position of an invoice. Money is in cents, always an integer. */
export interface Line {
  description: string
  quantity: number
  /** Cents, without VAT. */
  unitPrice: number
  vatPercent: number
}

export interface NewInvoice {
  customer: string
  /** The issuer's own number. */
  number: string
  /** `YYYY-MM-DD`. */
  issuedOn: string
  currency: string
  lines: Line[]
}

export interface Totals {
  net: number
  vat: { percent: number; net: number; vat: number }[]
  gross: number
}

export interface AttachedFile {
  name: string
  contentType: string
  size: number
}

export interface Invoice extends NewInvoice {
  id: string
  /** ISO 8601, UTC. */
  receivedAt: string
  status: 'received' | 'processed'
  totals?: Totals
  file?: AttachedFile
}

/** Customers are part of keys and addresses. */
export const customerPattern = /^[a-z0-9][a-z0-9-]{0,63}$/

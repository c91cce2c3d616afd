import type { Kv, Storage } from '@landfall/runtime'
import type { Invoice } from './invoice.ts'

/** As much of an invoice as a list shows. */
export type Brief = Pick<Invoice, 'id' | 'number' | 'issuedOn' | 'currency' | 'receivedAt'>

/*
 * The storage holds each invoice as it came: the truth. The index holds what is known of it now, and who it belongs to:
 * it can be built anew from the storage (`reindex`) and by processing again.
 */
const original = (id: string) => `invoices/${id}.json`
export const fileKey = (id: string) => `files/${id}`

const invoices = (index: Kv) => index.collection<Invoice>('invoices')
const byCustomer = (index: Kv) => index.collection<Brief>('by-customer')

/** Stores a new invoice. Ids are random, so writing it once more after a lost answer changes nothing. */
export async function saveInvoice(uploads: Storage, index: Kv, invoice: Invoice): Promise<void> {
  await uploads.put(original(invoice.id), { json: invoice })
  await indexInvoice(index, invoice)
}

async function indexInvoice(index: Kv, invoice: Invoice): Promise<void> {
  await invoices(index).set(invoice.id, invoice)
  await indexCustomer(index, invoice)
}

async function indexCustomer(index: Kv, invoice: Invoice): Promise<void> {
  const { id, customer, number, issuedOn, currency, receivedAt } = invoice
  await byCustomer(index).set(`${customer}/${id}`, { id, number, issuedOn, currency, receivedAt })
}

export async function findInvoice(index: Kv, id: string): Promise<Invoice | undefined> {
  return (await invoices(index).get(id))?.value
}

/** A customer's invoices in the order of their ids, as a list shows them. */
export async function* listBriefs(index: Kv, customer: string): AsyncGenerator<Brief> {
  for await (const { value } of byCustomer(index).list({ prefix: `${customer}/` })) yield value
}

/** Whole invoices of one customer, or all, in the order of their ids. */
export async function* listInvoices(index: Kv, customer?: string): AsyncGenerator<Invoice> {
  if (customer === undefined) {
    for await (const { value } of invoices(index).list()) yield value
    return
  }
  for await (const { id } of listBriefs(index, customer)) {
    const invoice = await findInvoice(index, id)
    if (invoice) yield invoice
  }
}

/**
 * Changes an invoice by `change` if nobody else changed it meanwhile. Returns false where there is none, or where `change`
 * finds nothing to do (undefined). Throws when someone was faster: the message is then delivered again.
 */
export async function updateInvoice(
  index: Kv,
  id: string,
  change: (invoice: Invoice) => Invoice | undefined,
): Promise<boolean> {
  const item = await invoices(index).get(id)
  const next = item && change(item.value)
  if (!item || !next) return false
  await invoices(index).set(id, next, { ifVersion: item.version })
  return true
}

/** Reads every stored invoice and indexes it where it is missing; tells each. */
export async function* reindexInvoices(
  uploads: Storage,
  index: Kv,
  isDryRun: boolean,
): AsyncGenerator<{ id: string; added: boolean }> {
  for await (const { key } of uploads.list({ prefix: 'invoices/' })) {
    const invoice = await (await uploads.get(key))?.json<Invoice>()
    if (!invoice) continue
    const added = (await findInvoice(index, invoice.id)) === undefined
    // What is indexed may know more than what came (its totals): only the customer's entry is written again.
    if (!isDryRun && added) await indexInvoice(index, invoice)
    else if (!isDryRun) await indexCustomer(index, invoice)
    yield { id: invoice.id, added }
  }
}

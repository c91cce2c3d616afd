import { kv, log, onMessage } from '@landfall/runtime'
import type { Invoice } from '../invoice/invoice.ts'
import { updateInvoice } from '../invoice/store.ts'
import { totalsOf } from '../invoice/totals.ts'

/** The invoice with its totals; undefined when it has them already, so that a second delivery changes nothing. */
export function processed(invoice: Invoice): Invoice | undefined {
  if (invoice.status === 'processed') return undefined
  return { ...invoice, status: 'processed', totals: totalsOf(invoice.lines) }
}

onMessage('jobs', async (message) => {
  const { invoice } = message.json<{ invoice: string }>()
  const changed = await updateInvoice(kv('index'), invoice, processed)
  log.info(changed ? 'invoice processed' : 'nothing to process', { invoice, attempt: message.attempt })
})

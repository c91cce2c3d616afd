import { kv, log, onCron, storage } from '@landfall/runtime'
import type { Invoice } from '../invoice/invoice.ts'
import { listInvoices } from '../invoice/store.ts'

/** What came in on one day (UTC), as a text that a person reads. Gross sums are by currency, in the order of their names. */
export function digestOf(day: string, invoices: readonly Invoice[]): string {
  const ofDay = invoices.filter((invoice) => invoice.receivedAt.startsWith(day))
  const sums = new Map<string, number>()
  for (const { currency, totals } of ofDay) sums.set(currency, (sums.get(currency) ?? 0) + (totals?.gross ?? 0))
  const waiting = ofDay.filter((invoice) => invoice.status === 'received').length
  return [
    `Invoices of ${day}`,
    `${ofDay.length} received, ${waiting} not processed yet`,
    ...[...sums]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([currency, cents]) => `${currency} ${(cents / 100).toFixed(2)}`),
    '',
  ].join('\n')
}

onCron('0 6 * * *', async ({ scheduledAt }) => {
  const day = new Date(scheduledAt.getTime() - 86_400_000).toISOString().slice(0, 10)
  const invoices: Invoice[] = []
  for await (const invoice of listInvoices(kv('index'))) {
    if (invoice.receivedAt.startsWith(day)) invoices.push(invoice)
  }
  // One file a day: running twice writes it twice.
  await storage('uploads').put(`digests/${day}.txt`, digestOf(day, invoices))
  log.info('digest written', { day, invoices: invoices.length })
})

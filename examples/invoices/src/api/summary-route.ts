import { kv } from '@landfall/runtime'
import { findInvoice } from '../invoice/store.ts'
import { localeOf, summaryOf } from '../invoice/summary.ts'
import { notFound } from './answers.ts'
import { invoicePath, type Route } from './routes.ts'

/** New in 1.1.0: amounts as people read them, in the caller's language. */
export const summaryRoute: Route = {
  method: 'GET',
  path: invoicePath('/summary'),
  async handle(request, id = '') {
    const invoice = await findInvoice(kv('index'), id)
    if (!invoice) return notFound()
    return Response.json(summaryOf(invoice, localeOf(request.headers.get('accept-language'))))
  },
}

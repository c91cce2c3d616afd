import { randomUUID } from 'node:crypto'
import { kv, log, queue, secret, storage } from '@landfall/runtime'
import { customerPattern, type Invoice } from '../invoice/invoice.ts'
import { type Brief, fileKey, findInvoice, listBriefs, saveInvoice } from '../invoice/store.ts'
import { notFound, problem } from './answers.ts'
import { fileLink, isSigned } from './file-link.ts'
import { readUpload } from './read-upload.ts'

export interface Route {
  method: 'GET' | 'POST'
  /** Groups are what `handle` gets. */
  path: RegExp
  handle(request: Request, ...groups: string[]): Promise<Response>
}

/** How many invoices one answer lists. */
const pageLimit = 100
const id = '(inv_[0-9a-f]{32})'

export const invoicePath = (rest = '') => new RegExp(`^/invoices/${id}${rest}$`)

/** What release 1.0.0 answers; later releases add to it. */
export const routes: readonly Route[] = [
  { method: 'GET', path: /^\/$/, handle: async () => welcome() },
  { method: 'POST', path: /^\/invoices$/, handle: receive },
  { method: 'GET', path: /^\/invoices$/, handle: list },
  { method: 'GET', path: invoicePath(), handle: async (_, invoice = '') => show(invoice) },
  { method: 'GET', path: new RegExp(`^/files/${id}$`), handle: file },
]

function welcome(): Response {
  return Response.json({
    product: 'acme-invoices',
    version: process.env.LANDFALL_VERSION ?? 'unknown',
    take: 'POST /invoices',
    find: 'GET /invoices?customer=acme',
  })
}

async function receive(request: Request): Promise<Response> {
  const upload = await readUpload(request, process.env.CURRENCY || 'EUR')
  if (upload instanceof Response) return upload
  const invoice: Invoice = {
    ...upload.invoice,
    id: `inv_${randomUUID().replaceAll('-', '')}`,
    receivedAt: new Date().toISOString(),
    status: 'received',
  }
  if (upload.file) {
    const { content, ...about } = upload.file
    await storage('uploads').put(fileKey(invoice.id), content, { contentType: about.contentType })
    invoice.file = about
  }
  await saveInvoice(storage('uploads'), kv('index'), invoice)
  // Last: a message for an invoice that is not stored would be processed to nothing.
  await queue('jobs').send({ invoice: invoice.id })
  log.info('invoice received', { invoice: invoice.id, lines: invoice.lines.length })
  return Response.json(await withLink(invoice), { status: 201, headers: { location: `/invoices/${invoice.id}` } })
}

async function list(request: Request): Promise<Response> {
  const customer = new URL(request.url).searchParams.get('customer') ?? ''
  if (!customerPattern.test(customer)) return problem(400, 'Name a customer: GET /invoices?customer=acme')
  const items: Brief[] = []
  for await (const brief of listBriefs(kv('index'), customer)) {
    if (items.push(brief) === pageLimit) break
  }
  return Response.json({ items })
}

async function show(invoiceId: string): Promise<Response> {
  const invoice = await findInvoice(kv('index'), invoiceId)
  return invoice ? Response.json(await withLink(invoice)) : notFound()
}

async function file(request: Request, invoiceId = ''): Promise<Response> {
  const given = new URL(request.url).searchParams.get('signature')
  if (!isSigned(invoiceId, given, await secret('link-key').get())) return problem(403, 'The link is not valid')
  const stored = await storage('uploads').get(fileKey(invoiceId))
  if (!stored) return notFound()
  // Whatever was uploaded is given back to be saved, never to be run in the browser.
  return new Response(stored.body, {
    headers: {
      'content-type': stored.contentType,
      'content-disposition': 'attachment',
      'x-content-type-options': 'nosniff',
    },
  })
}

async function withLink(invoice: Invoice): Promise<Invoice & { link?: string }> {
  if (!invoice.file) return invoice
  return { ...invoice, link: fileLink(invoice.id, await secret('link-key').get()) }
}

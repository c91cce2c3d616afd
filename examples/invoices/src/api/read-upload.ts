import type { AttachedFile, NewInvoice } from '../invoice/invoice.ts'
import { parseInvoice } from '../invoice/parse-invoice.ts'
import { problem, tooLarge } from './answers.ts'

export const maxBodyBytes = 5 * 1024 * 1024

export interface Upload {
  invoice: NewInvoice
  file?: AttachedFile & { content: Uint8Array }
}

/**
 * Reads an invoice in one of three forms: JSON; `multipart/form-data` with the field `invoice` (JSON) and the file `file`; or
 * any other content as the file itself, with `customer`, `number` and `issuedOn` in the query. A Response says what is wrong.
 */
export async function readUpload(request: Request, currency: string): Promise<Upload | Response> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBodyBytes) return tooLarge(maxBodyBytes)
  const type = request.headers.get('content-type') ?? ''
  if (type.startsWith('multipart/form-data')) return readForm(request, currency)
  const bytes = await request.bytes()
  if (bytes.length > maxBodyBytes) return tooLarge(maxBodyBytes)
  if (type.startsWith('application/json')) return checked(parseJson(new TextDecoder().decode(bytes)), currency)
  if (bytes.length === 0) return problem(400, 'The body is empty')
  const query = new URL(request.url).searchParams
  const fields = {
    customer: query.get('customer'),
    number: query.get('number'),
    issuedOn: query.get('issuedOn'),
    lines: [],
  }
  const file = { name: query.get('name') ?? 'invoice', contentType: type || 'application/octet-stream' }
  return checked(fields, currency, { ...file, size: bytes.length, content: bytes })
}

async function readForm(request: Request, currency: string): Promise<Upload | Response> {
  const form = await request.formData().catch(() => null)
  const [invoice, file] = [form?.get('invoice'), form?.get('file')]
  if (typeof invoice !== 'string') return problem(400, 'The form has no field "invoice"')
  if (!(file instanceof File)) return checked(parseJson(invoice), currency)
  if (file.size > maxBodyBytes) return tooLarge(maxBodyBytes)
  const content = await file.bytes()
  const contentType = file.type || 'application/octet-stream'
  return checked(parseJson(invoice), currency, { name: file.name, contentType, size: content.length, content })
}

function checked(value: unknown, currency: string, file?: Upload['file']): Upload | Response {
  const parsed = parseInvoice(value, currency)
  if (!parsed.ok) return problem(422, 'The invoice is not valid', parsed.problems)
  return file ? { invoice: parsed.invoice, file } : { invoice: parsed.invoice }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

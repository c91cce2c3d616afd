import { type CommandContext, command, kv, queue, storage } from '@landfall/runtime'
import { csvHeader, csvLine } from '../invoice/csv.ts'
import { listInvoices, reindexInvoices } from '../invoice/store.ts'

/** How often a long command says where it is, so that whoever waits sees it move. */
const every = 100

/** Registers the commands of the API. Both may run again after a lost answer: they only write what is missing, or the same. */
export function registerCommands(): void {
  command('reindex', reindex)
  command('export', exportInvoices)
}

async function reindex(input: unknown, { write, signal }: CommandContext) {
  const isDryRun = fieldOf(input, 'dryRun') === true
  let seen = 0
  let added = 0
  for await (const one of reindexInvoices(storage('uploads'), kv('index'), isDryRun)) {
    signal.throwIfAborted()
    seen++
    if (one.added) {
      added++
      // What came is stored, its totals are not: they are worked out again.
      if (!isDryRun) await queue('jobs').send({ invoice: one.id })
      await write(`${isDryRun ? 'missing' : 'added'} ${one.id}\n`)
    }
    if (seen % every === 0) await write(`${seen} invoices seen\n`)
  }
  await write(`done: ${seen} invoices, ${added} ${isDryRun ? 'missing' : 'added'}\n`)
  return { seen, added }
}

async function exportInvoices(input: unknown, { id, write, signal }: CommandContext) {
  const customer = fieldOf(input, 'customer')
  const format = fieldOf(input, 'format') === 'json' ? 'json' : 'csv'
  const parts: string[] = format === 'csv' ? [csvHeader] : []
  let invoices = 0
  for await (const invoice of listInvoices(kv('index'), typeof customer === 'string' ? customer : undefined)) {
    signal.throwIfAborted()
    parts.push(format === 'csv' ? csvLine(invoice) : `${JSON.stringify(invoice)}\n`)
    invoices++
    if (invoices % every === 0) await write(`${invoices} invoices read\n`)
  }
  const content = new TextEncoder().encode(parts.join(''))
  // Named after the call, so that a second attempt writes the same file again.
  const key = `exports/${id}.${format === 'csv' ? 'csv' : 'ndjson'}`
  const contentType = format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson'
  await storage('uploads').put(key, content, { contentType })
  await write(`done: ${invoices} invoices in ${key}\n`)
  return { invoices, key, bytes: content.length }
}

const fieldOf = (input: unknown, name: string): unknown =>
  typeof input === 'object' && input !== null ? Reflect.get(input, name) : undefined

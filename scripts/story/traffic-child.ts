import { Agent, request } from 'node:http'
import type { Answer, TrafficTarget } from './traffic.ts'

/**
 * Sends requests to each target at a steady rate from a process of its own, so that the story's own work does not slow it, and so that it
 * can run where the targets are. Its one argument is what to send as JSON; its parent gets the answers and says when to stop.
 */
const { targets, perSecond } = JSON.parse(process.argv[2] ?? '') as { targets: TrafficTarget[]; perSecond: number }
const agent = new Agent({ keepAlive: true, maxSockets: 64 })
const pending: Answer[] = []
const known = new Map<string, string[]>()
const counts = new Map<string, number>()
let stopped = false

function send(target: TrafficTarget): void {
  const number = counts.get(target.name) ?? 0
  counts.set(target.name, number + 1)
  const ids = known.get(target.name) ?? []
  const write = number % 20 === 0 || ids.length === 0
  const started = performance.now()
  const body = write ? JSON.stringify(invoice(number)) : null
  const path = write ? '/invoices' : `/invoices/${ids[number % ids.length]}`
  const call = request(
    new URL(path, target.url),
    {
      agent,
      method: write ? 'POST' : 'GET',
      timeout: 10_000,
      headers: body ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } : {},
    },
    (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => {
        if (text.length < 4096) text += chunk
      })
      response.on('end', () => {
        const status = response.statusCode ?? 0
        if (write && status === 201) remember(target.name, text)
        pending.push({
          target: target.name,
          at: Date.now(),
          status,
          version: String(response.headers['landfall-version'] ?? ''),
          ms: performance.now() - started,
        })
      })
      response.on('error', () => lost(target, started))
    },
  )
  call.on('timeout', () => call.destroy(new Error('no answer in 10 s')))
  call.on('error', () => lost(target, started))
  call.end(body)
}

function invoice(number: number) {
  return {
    customer: `customer-${number % 7}`,
    number: `2026-${number}`,
    issuedOn: '2026-11-21',
    lines: [{ description: 'Consulting', quantity: 1 + (number % 3), unitPrice: 12_000, vatPercent: 19 }],
  }
}

/** No answer at all: what must never happen. */
function lost(target: TrafficTarget, started: number): void {
  if (!stopped)
    pending.push({ target: target.name, at: Date.now(), status: 0, version: '', ms: performance.now() - started })
}

function remember(target: string, text: string): void {
  try {
    const id = JSON.parse(text).id
    const ids = known.get(target) ?? []
    if (typeof id === 'string' && ids.length < 50) known.set(target, [...ids, id])
  } catch {
    // An answer that is not JSON is counted by its status; there is no id to read from it.
  }
}

const everyMs = 20
let owed = 0
const ticking = setInterval(() => {
  owed += (perSecond * everyMs) / 1000
  for (; owed >= 1; owed--) for (const target of targets) send(target)
}, everyMs)
const report = () => process.send?.(pending.splice(0))
const reporting = setInterval(report, 200)

process.once('message', () => {
  clearInterval(ticking)
  setTimeout(() => {
    stopped = true
    clearInterval(reporting)
    report()
    agent.destroy()
    process.disconnect()
  }, 1_000)
})
// Without its parent nobody counts the answers.
process.once('disconnect', () => process.exit())

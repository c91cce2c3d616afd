import {
  canary,
  command,
  cron,
  errorRate,
  input,
  kv,
  latency,
  queue,
  Stack,
  secret,
  storage,
  worker,
} from '@landfall/stack'
import { exportInput, exportOutput, reindexInput, reindexOutput } from './src/work/command-schemas.ts'

// A product of your own has one `source` per worker and git keeps the older ones. Here four releases lie side by side, so
// that each can be released on its own: INVOICES_VERSION=1.1.0 landfall release --version 1.1.0
const versions = ['1.0.0', '1.1.0', '1.2.0', '1.2.1']
const version = process.env.INVOICES_VERSION ?? '1.2.1'
if (!versions.includes(version)) throw new Error(`INVOICES_VERSION is "${version}"; there are ${versions.join(', ')}`)

// How long each step is held. Minutes are right for customers; seconds let a demonstration be watched.
const pace =
  process.env.INVOICES_PACE === 'demo'
    ? ({ first: '4s', second: '4s', last: '3s', maxBake: '45s', startUp: '30s' } as const)
    : ({ first: '5m', second: '10m', last: '5m', maxBake: '1h', startUp: '10m' } as const)

const uploads = storage('uploads', { description: 'Invoices as they came, attached files, exports and daily digests' })
const index = kv('index', { description: 'What is known of each invoice, and which belong to a customer' })
const jobs = queue('jobs', { description: 'Invoices that wait for their totals', visibilityTimeout: '30s' })
const linkKey = secret('link-key', { providedBy: 'generated', description: 'Signs the links to attached files' })
const currency = input.enum(['EUR', 'USD', 'GBP', 'CHF'], {
  providedBy: 'customer',
  description: 'Currency of invoices that name none',
  default: 'EUR',
})

const api = worker('api', {
  source: `./releases/${version}/api.ts`,
  description: 'Takes invoices and answers questions about them',
  public: true,
  uses: [uploads.readWrite(), index.readWrite(), jobs.send()],
  secrets: [linkKey],
  env: { LOG_LEVEL: 'info', CURRENCY: currency },
  health: { path: '/healthz' },
  gracePeriod: '5s',
  commands: {
    reindex: command({
      description: 'Builds the index anew from the stored invoices',
      input: reindexInput,
      output: reindexOutput,
      deadline: '10m',
    }),
    export: command({
      description: 'Writes invoices as one CSV or JSON file into the storage',
      input: exportInput,
      output: exportOutput,
      deadline: '10m',
    }),
  },
  rollout: canary({
    steps: [
      { share: 20, bake: pace.first },
      { share: 50, bake: pace.second },
      { share: 100, bake: pace.last },
    ],
    // At most one request in a hundred more may fail, and half of them may be at most 100 ms slower.
    analysis: [errorRate({ worseBy: 0.01 }), latency('p50', { worseBy: '100ms' })],
    maxBake: pace.maxBake,
    progressDeadline: pace.startUp,
  }),
})

const processor = worker('processor', {
  source: './src/work/processor.ts',
  description: 'Works out net, VAT and total of each invoice',
  on: [jobs.messages({ concurrency: 4 })],
  uses: [index.readWrite()],
  env: { LOG_LEVEL: 'info' },
  gracePeriod: '5s',
})

const digest = worker('digest', {
  source: './src/work/digest.ts',
  description: 'Writes what came in yesterday into a file, each morning at six (UTC)',
  on: [cron('0 6 * * *')],
  uses: [uploads.write(), index.read()],
  env: { LOG_LEVEL: 'info' },
  gracePeriod: '5s',
})

export default new Stack('acme-invoices', {
  resources: [uploads, index, jobs, api, processor, digest],
  platforms: ['local'],
  inputs: { currency },
})

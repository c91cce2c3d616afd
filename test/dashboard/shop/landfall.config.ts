import { canary, command, errorRate, input, Stack, secret, worker } from '@landfall/stack'

const greeting = input.string({ providedBy: 'vendor', default: 'Hello', description: 'What it says to everybody' })
const mailKey = secret('mail-key', { providedBy: 'vendor', description: 'Opens the mail service' })

const api = worker('api', {
  source: './api.ts',
  public: true,
  secrets: [mailKey],
  // The release's own version makes each release another artifact.
  env: { GREETING: greeting, SHOP_VERSION: process.env.SHOP_VERSION ?? '1.0.0' },
  health: { path: '/healthz' },
  gracePeriod: '2s',
  commands: {
    count: command({
      description: 'Counts, and waits in the middle for a request to /go-on',
      input: {
        type: 'object',
        properties: { to: { type: 'integer', minimum: 1, maximum: 100, description: 'The last number' } },
        required: ['to'],
        additionalProperties: false,
      },
    }),
  },
  rollout: canary({
    steps: [{ share: 50, bake: '1s', pause: 'until-resumed' }],
    analysis: [errorRate({ worseBy: 0.2, minSample: 20 })],
    maxBake: '30s',
    progressDeadline: '30s',
  }),
})

export default new Stack('shop', { resources: [api], platforms: ['local'], inputs: { greeting } })

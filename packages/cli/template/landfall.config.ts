import { canary, command, errorRate, latency, queue, Stack, storage, worker } from '@landfall/stack'

// Frozen: made once at setup, never touched by a release.
const notes = storage('notes', { lifecycle: 'frozen' })
const jobs = queue('jobs', { lifecycle: 'frozen' })

const api = worker('api', {
  source: './src/api.ts',
  public: true,
  uses: [notes.readWrite(), jobs.send()],
  on: [jobs.messages()],
  commands: { count: command({ input: { type: 'object', properties: {}, additionalProperties: false } }) },
  health: { path: '/healthz' },
  // A release gets 10% of the requests, then half, and is promoted only when it is no worse.
  rollout: canary({
    steps: [
      { share: 10, bake: '2m' },
      { share: 50, bake: '3m' },
    ],
    analysis: [errorRate({ worseBy: 0.01 }), latency('p99', { worseBy: '100ms' })],
  }),
})

export default new Stack('project-name', { resources: [notes, jobs, api], platforms: ['local'] })

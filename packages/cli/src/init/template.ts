/** Files of a new project, by path. A worker with storage, a queue, a command and a canary: small enough to delete, whole enough to start from. */
export function template(project: string, packages: string): Record<string, string> {
  return {
    'landfall.json': `${JSON.stringify({ project }, null, 2)}\n`,
    'package.json': `${JSON.stringify(
      {
        name: project,
        private: true,
        type: 'module',
        dependencies: { '@landfall/runtime': `file:${packages}/runtime` },
        devDependencies: { '@landfall/stack': `file:${packages}/stack` },
      },
      null,
      2,
    )}\n`,
    'tsconfig.json': `${JSON.stringify(
      {
        compilerOptions: {
          target: 'es2024',
          module: 'nodenext',
          strict: true,
          noEmit: true,
          allowImportingTsExtensions: true,
          skipLibCheck: true,
        },
        include: ['**/*.ts'],
      },
      null,
      2,
    )}\n`,
    '.gitignore': 'node_modules/\n.landfall/\n',
    'landfall.config.ts': `import { canary, command, errorRate, latency, queue, Stack, storage, worker } from '@landfall/stack'

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

export default new Stack('${project}', { resources: [notes, jobs, api], platforms: ['local'] })
`,
    'src/api.ts': `import { command, log, onMessage, queue, storage } from '@landfall/runtime'

const notes = storage('notes')

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/') return Response.json({ hello: '${project}' })
    if (request.method === 'PUT' && pathname.startsWith('/notes/')) {
      const key = pathname.slice('/notes/'.length)
      await notes.put(key, await request.text())
      await queue('jobs').send({ key })
      return new Response(null, { status: 204 })
    }
    return new Response('Not found', { status: 404 })
  },
}

onMessage('jobs', async (message) => {
  log.info('a note was written', { message: message.id })
})

command('count', async () => {
  let count = 0
  for await (const _ of notes.list()) count++
  return { notes: count }
})
`,
    'README.md': `# ${project}

- \`landfall dev\` runs it here, with live reload.
- \`landfall serve\` runs a manager; \`landfall login\`, \`landfall projects create\`, then \`landfall release --version 1.0.0\`.
- \`landfall deployments create NAME\` makes a customer.
`,
  }
}

import { startAgent } from '@landfall/agent'

/** An agent in a process of its own, to be killed: says what happens on its standard output, a line each. */
const [directory = '', key = '', setup = ''] = process.argv.slice(2)
const say = (line: string) => process.stdout.write(`${line}\n`)
const agent = await startAgent({
  directory,
  key: Buffer.from(key, 'hex'),
  setup: setup === '' ? null : JSON.parse(setup),
  limits: { rolloutTickMs: 100, lingerMs: 2_000 },
  random: { next: () => 0.1 },
})
let last = ''
setInterval(async () => {
  const { enrolled, order, state, sync } = await agent.status()
  const line = `${enrolled} ${order?.generation ?? 0} ${state?.phase ?? '-'} ${state?.candidate ? 'candidate' : '-'} ${sync?.mode}`
  if (line !== last) say(line)
  last = line
}, 20)

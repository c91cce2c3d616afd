import { AgentState } from '../state/agent-state.ts'

/** Writes pairs of values, each pair in one transaction, and says each that is durable; after `count` it waits to be killed. */
const [directory = '', key = '', count = ''] = process.argv.slice(2)
const state = AgentState.open(directory, Buffer.from(key, 'hex'))
for (let i = 1; i <= Number(count); i++) {
  state.transaction(() => {
    state.put('left', i)
    state.put(`extra/${i % 7}`, { i })
    state.put('right', i)
  })
  process.stdout.write(`${i}\n`)
}
setInterval(() => {}, 60_000)

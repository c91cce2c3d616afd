import type { DeploymentRef } from '@landfall/engine'
import { commandConformance } from '@landfall/engine/testing/commands'
import { expect } from 'vitest'
import { cancelCommand, createCommandStore, queueCommand, sweepCommands } from './command-store.ts'
import { CommandTable } from './command-table.ts'

const ref: DeploymentRef = {
  ...{ id: 'd1', name: 'd1', project: 'shop', prefix: 'x', platform: 'local', model: 'push', environment: {} },
}

commandConformance('the simulated queue of managers', async () => {
  const table = new CommandTable()
  let now = Date.UTC(2026, 0, 1)
  const find = (id: string) => table.find('d1', id) ?? expect.fail(`no command ${id}`)
  return {
    store: createCommandStore(table, () => ref),
    now: () => now,
    advance: (ms) => {
      now += ms
    },
    queue: (key, deadline) =>
      queueCommand(table, {
        ...{ deployment: 'd1', by: 'ada', key, worker: 'api', command: 'work', input: null, deadline, at: now },
      }),
    cancel: (id) => {
      cancelCommand(table, { deployment: 'd1', id, at: now })
    },
    sweep: () => sweepCommands(table, now),
    look: (id) => {
      const { state, result } = find(id)
      return { status: state.status, attempt: state.attempt, error: state.error?.code ?? null, result }
    },
    output: (id) =>
      find(id)
        .output.map(({ chunk }) => chunk)
        .join(''),
  }
})

import { describe, expect, it } from 'vitest'
import { checkCommand } from './check-command.ts'
import { checkInput, findDefinition } from './find-definition.ts'

/** A manifest is shared: whoever checks against it changes nothing in it. */
function frozen<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) frozen(inner)
  return Object.freeze(value)
}

describe('its definition', () => {
  const definition = {
    input: {
      type: 'object',
      properties: { from: { type: 'string', minLength: 2 } },
      required: ['from'],
      additionalProperties: false,
    },
    deadline: '60s',
  }
  const worker = (name: string) => ({ type: 'worker', name, commands: { reindex: definition } })
  const manifest = (...workers: string[]) => ({ resources: workers.map(worker) }) as never

  it('is found by name, and by worker where several have it', () => {
    expect(findDefinition(manifest('api'), 'reindex').worker).toBe('api')
    expect(findDefinition(manifest('api', 'jobs'), 'reindex', 'jobs').worker).toBe('jobs')
    for (const [found, name] of [
      [manifest('api', 'jobs'), 'reindex'],
      [manifest('api'), 'toString'],
      [manifest(), 'reindex'],
    ] as const) {
      expect(() => findDefinition(found, name)).toThrow(expect.objectContaining({ code: 'E_COMMAND_UNKNOWN' }))
    }
  })

  it('checks the input, names what is wrong, and never repeats a value', () => {
    expect(() => checkInput('reindex', frozen(definition), { from: 'ab' })).not.toThrow()
    for (const input of [{}, { from: 3 }, { from: 'ab', other: 1 }, 'hunter2', null]) {
      expect(() => checkInput('reindex', definition, input)).toThrow(
        expect.objectContaining({ code: 'E_COMMAND_INPUT' }),
      )
    }
    try {
      checkInput('reindex', definition, { from: 'x', 'y/z': 'hunter2' })
    } catch (error) {
      expect(JSON.stringify(error)).not.toContain('hunter2')
      expect(error).toMatchObject({
        problems: expect.arrayContaining([expect.objectContaining({ path: 'input.from' })]),
      })
    }
  })

  it('may be that of any release that could answer; that of the first tells what is wrong', () => {
    const call = { command: 'reindex', worker: 'api', input: { from: 'ab' } }
    expect(checkCommand([manifest(), manifest('api')], call)).toBe(definition)
    for (const [manifests, input, code] of [
      [[manifest(), manifest()], {}, 'E_COMMAND_UNKNOWN'],
      [[manifest('api'), manifest()], {}, 'E_COMMAND_INPUT'],
    ] as const) {
      expect(() => checkCommand(manifests, { ...call, input })).toThrow(expect.objectContaining({ code }))
    }
    expect(() => checkCommand([], call)).toThrow(RangeError)
  })
})

import { LandfallError } from '@landfall/stack'
import { expect, it } from 'vitest'
import { followLogs } from './follow-logs.ts'
import type { ReadPage } from './logs.ts'

type Page = Awaited<ReturnType<ReadPage>>
const line = (body: string): Page['items'][number] => ({
  id: `1~${body}`,
  at: '2026-11-21T12:00:00Z',
  severity: 'info',
  worker: 'api',
  version: '1.0.0',
  body,
  attributes: {},
  trace: null,
})
const away = () => new TypeError('fetch failed')
const refused = (code: string, retryable: boolean) =>
  new LandfallError({ code, message: 'no', hint: 'none', retryable })

async function follow(answers: (Page | Error)[]) {
  const stop = new AbortController()
  const asked: (string | undefined)[] = []
  let aways = 0
  const read: ReadPage = async ({ after }) => {
    asked.push(after)
    const answer = answers.shift()
    if (!answer) {
      stop.abort()
      return { items: [], next: after ?? null }
    }
    if (answer instanceof Error) throw answer
    return answer
  }
  const bodies: string[] = []
  const options = { signal: stop.signal, onAway: () => aways++, random: () => 0 }
  for await (const each of followLogs(read, 'a', options)) bodies.push(each.body)
  return { bodies, asked, aways }
}

it('goes on where it was through a manager that is away, and ends when it is told to', async () => {
  const seen = await follow([
    { items: [line('one')], next: 'b' },
    away(),
    refused('E_INTERNAL', true),
    { items: [line('two')], next: 'c' },
  ])
  expect(seen).toEqual({ bodies: ['one', 'two'], asked: ['a', 'b', 'b', 'b', 'c'], aways: 1 })
})

it('ends with what will be refused again', async () => {
  await expect(follow([refused('E_NOT_FOUND', false)])).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
})

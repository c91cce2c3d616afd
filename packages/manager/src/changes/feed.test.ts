import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { OpenDatabase } from '../store/database.ts'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { eventStream } from './event-stream.ts'
import { ChangeFeed, type FeedMessage } from './feed.ts'
import { type PublishedChange, publishChanges } from './publish-changes.ts'

let server: TestServer
let database: OpenDatabase
let now = Date.UTC(2026, 10, 21)
const clock = {
  now: () => now,
  sleep: (_ms: number, signal?: AbortSignal) =>
    new Promise<void>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
}
const log = { info: () => {}, warn: (message: string) => expect.fail(message) }

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())
beforeEach(async () => {
  database = await server.database()
})

const change = (id: string, project = 'acme'): PublishedChange => ({ project, kind: 'deployment', id, at: now })
const publish = (...changes: PublishedChange[]) =>
  database.db.transaction().execute((trx) => publishChanges(trx, changes))
const makeFeed = () => new ChangeFeed({ db: database.db, clock, log })

async function follow(feed: ChangeFeed, lastEventId: string | null = null, project = 'acme') {
  const messages: FeedMessage[] = []
  const stop = await feed.listen(project, lastEventId, (message) => messages.push(message))
  const ids = () =>
    messages.flatMap((message) => (message.kind === 'changes' ? message.changes.map((one) => one.id) : []))
  return { messages, ids, stop, cursor: () => messages.at(-1)?.cursor ?? null }
}

describe('the change feed', () => {
  it('tells what changed in the project, and only there', async () => {
    const feed = makeFeed()
    await publish(change('before'))
    const reader = await follow(feed)
    await publish(change('a'), change('b'), change('foreign', 'other'))
    await feed.poll()
    await feed.poll()
    expect(reader.ids()).toEqual(['a', 'b'])
  })

  it('does not miss a transaction that took its number early and committed late', async () => {
    const feed = makeFeed()
    const reader = await follow(feed)
    const late = await database.db.startTransaction().execute()
    await publishChanges(late, [change('late')])
    await publish(change('early'))
    await feed.poll()
    expect(reader.ids()).toEqual(['early'])
    await late.commit().execute()
    await feed.poll()
    expect(reader.ids()).toEqual(['early', 'late'])
  })

  it('resumes behind a cursor, in another process too, without a gap', async () => {
    const feed = makeFeed()
    const first = await follow(feed)
    const late = await database.db.startTransaction().execute()
    await publishChanges(late, [change('late')])
    await publish(change('a'))
    await feed.poll()
    first.stop()
    await publish(change('b'))
    await late.commit().execute()
    const second = await follow(makeFeed(), first.cursor())
    expect(second.ids().sort()).toEqual(['b', 'late'])
  })

  it('says reset when a cursor is too old or is none', async () => {
    const feed = makeFeed()
    const first = await follow(feed)
    await publish(change('a'))
    await feed.poll()
    now += 3_600_000
    for (const cursor of [first.cursor(), 'nonsense', '12.1:2:3); drop']) {
      expect((await follow(feed, cursor)).messages[0]?.kind).toBe('reset')
    }
  })
})

describe('its event stream', () => {
  const decode = new TextDecoder()
  const open = (feed: ChangeFeed, signal = new AbortController().signal) =>
    eventStream(feed, { project: 'acme', lastEventId: null, clock, signal }).getReader()

  it('opens with hello and carries changes with a cursor', async () => {
    const feed = makeFeed()
    const reader = open(feed)
    expect(decode.decode((await reader.read()).value)).toContain('"kind":"hello"')
    while (feed.listeners === 0) await new Promise((resolve) => setImmediate(resolve))
    await publish(change('a'))
    await feed.poll()
    const text = decode.decode((await reader.read()).value)
    expect(text).toMatch(/^id: \d+\.\d+:\d+:/)
    expect(text).toContain('"id":"a"')
    await reader.cancel()
    expect(feed.listeners).toBe(0)
  })

  it('ends with the signal and lets go of the feed', async () => {
    const feed = makeFeed()
    const ending = new AbortController()
    const reader = open(feed, ending.signal)
    await reader.read()
    while (feed.listeners === 0) await new Promise((resolve) => setImmediate(resolve))
    ending.abort()
    expect((await reader.read()).done).toBe(true)
    expect(feed.listeners).toBe(0)
  })

  it('tells a client that is too slow to read everything again, and lets it go', async () => {
    const feed = makeFeed()
    const reader = open(feed)
    await reader.read()
    while (feed.listeners === 0) await new Promise((resolve) => setImmediate(resolve))
    for (let i = 0; i < 1_003 && feed.listeners > 0; i++) {
      await publish(change(`c${i}`))
      await feed.poll()
    }
    expect(feed.listeners).toBe(0)
    let last = ''
    for (let part = await reader.read(); !part.done; part = await reader.read()) last = decode.decode(part.value)
    expect(last).toContain('event: reset')
  })
})

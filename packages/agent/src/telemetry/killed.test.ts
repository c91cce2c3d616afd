import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { otlpManager } from '../testing/otlp-manager.ts'
import { scratch } from '../testing/scratch.ts'

const files = scratch()
afterAll(() => files.remove())

interface Target {
  endpoint: string
  headers: Record<string, string>
}

async function start(directory: string, url: string) {
  const script = new URL('../testing/telemetry-child.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [script, directory, url], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const kill = async () => {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  return { target: JSON.parse(line) as Target, kill }
}
const logs = (body: string) =>
  JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: body } }] }] }] })

it('killed while it takes and while it sends, loses nothing that it said it has, at the same address again', {
  timeout: 120_000,
}, async () => {
  const directory = files.path()
  // Every third answer is lost after the payload was taken.
  const manager = await otlpManager((_, count) => (count % 3 === 0 ? 'hang-up' : { status: 200 }))
  const taken = new Set<string>()
  const targets = new Set<string>()
  let made = 0
  try {
    for (let round = 0; round < 8; round++) {
      const agent = await start(directory, manager.url)
      targets.add(JSON.stringify(agent.target))
      let dead = false
      const send = async () => {
        while (!dead) {
          const body = `line ${++made}.`
          const request = {
            method: 'POST',
            headers: { ...agent.target.headers, 'content-type': 'application/json' },
            body: logs(body),
          }
          const answer = await fetch(`${agent.target.endpoint}/v1/logs`, request).catch(() => null)
          if (answer?.ok) taken.add(body)
        }
      }
      const senders = [send(), send(), send()]
      const before = taken.size
      while (taken.size < before + 10 + round * 7) await sleep(1)
      await agent.kill()
      dead = true
      await Promise.all(senders)
    }
    const last = await start(directory, manager.url)
    const missing = () => [...taken].filter((body) => !manager.got.some((got) => got.body.includes(body)))
    while (missing().length > 0) await sleep(20)
    await last.kill()
  } finally {
    await manager.close()
  }
  expect(taken.size).toBeGreaterThan(250)
  expect(targets.size).toBe(1)
})

import { describe, expect, it } from 'vitest'
import { countRequests, slotOf } from './1.2.0/count-requests.ts'
import { countRequests as countRight, slotOf as slotRight } from './1.2.1/count-requests.ts'

const ids = Array.from({ length: 20_000 }, (_, at) => `request-${at}`)
const request = (id: string) => new Request('http://x/', { headers: { 'x-request-id': id } })
const ok = async () => new Response('ok')

describe('release 1.2.0', () => {
  it('fails three requests in a hundred, always the same ones', async () => {
    const failing = ids.filter((id) => slotOf(id) >= 97)
    expect(failing.length / ids.length).toBeGreaterThan(0.025)
    expect(failing.length / ids.length).toBeLessThan(0.035)
    const { around } = countRequests()
    const [bad = '', good = ''] = [failing[0], ids.find((id) => slotOf(id) < 97)]
    await expect(around(request(bad), ok)).rejects.toThrow(TypeError)
    await expect(around(request(bad), ok)).rejects.toThrow(TypeError)
    expect((await around(request(good), ok)).status).toBe(200)
  })
})

describe('release 1.2.1', () => {
  it('has a slot for every request', async () => {
    expect(ids.every((id) => slotRight(id, 97) < 97)).toBe(true)
    const { around, route } = countRight()
    for (const id of ids.slice(0, 500)) await around(request(id), ok)
    const { slots } = (await (await route.handle(request('x'))).json()) as { slots: number[] }
    expect(slots.reduce((sum, one) => sum + one, 0)).toBe(500)
  })
})

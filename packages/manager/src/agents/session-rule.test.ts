import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judgeSession, type SessionMemory } from './session-rule.ts'

/** An agent as it remembers itself: what it asks with is on the disk before it asks. */
interface Volume {
  previous: number
  nonce: string | null
}

const enrolled: SessionMemory = { session: 3, named: 0, namedBefore: null, nonces: [], restored: false }

/** A manager and agents whose answers may be lost, and whose requests may come again. */
function world() {
  let memory = enrolled
  let made = 0
  const sent: { previous: number; nonce: string }[] = []
  const kept = [memory]
  const receive = (request: { previous: number; nonce: string }) => {
    const verdict = judgeSession(memory, request)
    if (verdict.kind === 'begins') {
      memory = verdict.memory
      kept.push(memory)
    }
    return verdict.kind
  }
  return {
    session: () => memory.session,
    snapshots: () => kept.length,
    restore: (index: number) => {
      memory = kept[index] ?? memory
    },
    /** As `landfall restore` does it. */
    settle: (above: number) => {
      memory = { ...memory, session: Math.max(memory.session + 1, above), restored: true }
    },
    ask: (volume: Volume, answerArrives: boolean) => {
      volume.nonce ??= `nonce-${made++}`
      const request = { previous: volume.previous, nonce: volume.nonce }
      sent.push(request)
      const verdict = receive(request)
      const good = verdict === 'begins' || verdict === 'again'
      if (good && answerArrives) Object.assign(volume, { previous: memory.session, nonce: null })
      return verdict
    },
    repeat: (index: number) => {
      const request = sent.length > 0 ? sent[index % sent.length] : undefined
      return request ? receive(request) : null
    },
  }
}

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('ask' as const), arrives: fc.boolean() }),
    fc.record({ kind: fc.constant('repeat' as const), back: fc.nat(7) }),
  ),
  { maxLength: 60 },
)

describe('the rule of sessions', () => {
  it('never takes one agent for two, whichever answers are lost and whichever requests come again', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { ask, repeat, session } = world()
        const volume: Volume = { previous: 0, nonce: null }
        let asked = 0
        for (const step of all) {
          const before = session()
          if (step.kind === 'ask') {
            expect(['begins', 'again']).toContain(ask(volume, step.arrives))
            asked += 1
          } else if (asked > 0) {
            // One of the last eight requests, newest first.
            const verdict = repeat(Math.max(0, asked - 1 - step.back))
            expect(['again', 'late']).toContain(verdict)
            expect(session()).toBe(before)
          }
          expect(session()).toBeGreaterThanOrEqual(before)
        }
      }),
    )
  })

  it('takes nobody for a clone after a database was restored from before, and tells the copy still', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 2, maxLength: 20 }), fc.nat(), (arrivals, back) => {
        const { ask, snapshots, restore } = world()
        const volume: Volume = { previous: 0, nonce: null }
        for (const arrives of arrivals) ask(volume, arrives)
        if (volume.nonce !== null) ask(volume, true)
        const copy = { ...volume }
        restore(back % snapshots())
        expect(['begins', 'again']).toContain(ask(volume, true))
        ask(volume, true)
        expect(ask(copy, true)).toBe('cloned')
      }),
    )
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 2, maxLength: 20 }), fc.nat(), (arrivals, back) => {
        const { ask, session, snapshots, restore, settle } = world()
        const volume: Volume = { previous: 0, nonce: null }
        for (const arrives of arrivals) ask(volume, arrives)
        const lost = session()
        restore(back % snapshots())
        settle(1_000)
        // No token of the history that is lost is one of the current session.
        expect(session()).toBeGreaterThan(lost)
        expect(['begins', 'again']).toContain(ask(volume, true))
        expect(['begins', 'again']).toContain(ask(volume, true))
        expect(session()).toBeGreaterThan(1_000)
        const copy = { ...volume }
        ask(volume, true)
        expect(ask(copy, true)).toBe('cloned')
      }),
    )
    // Nobody pushes the numbers to their end.
    expect(judgeSession(enrolled, { previous: Number.MAX_SAFE_INTEGER, nonce: 'n' }).kind).toBe('cloned')
  })

  it('lets of two agents with one key only one go on', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { maxLength: 10 }),
        fc.array(fc.boolean(), { maxLength: 10 }),
        (before, order) => {
          const { ask } = world()
          const first: Volume = { previous: 0, nonce: null }
          for (const arrives of before) ask(first, arrives)
          // Copied while no request is under way: each makes a nonce of its own.
          if (first.nonce !== null) ask(first, true)
          const volumes = { first, copy: { ...first } }
          const alive = { first: true, copy: true }
          const turns = [true, false, ...order, true, false]
          for (const isFirst of turns) {
            const who = isFirst ? 'first' : 'copy'
            if (ask(volumes[who], true) === 'cloned') alive[who] = false
          }
          expect(Object.values(alive).filter(Boolean)).toHaveLength(1)
        },
      ),
    )
  })
})

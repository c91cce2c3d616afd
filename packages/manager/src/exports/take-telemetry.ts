import type { Clock, Random } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import type { Incoming, Intake } from '../telemetry/intake.ts'
import { lines } from './lines.ts'

/** As much as a site's worker may send in one request, and some room for what JSON makes of it. */
const maxLineBytes = 32 * 1024 * 1024
/** What is with the intake at once: it writes what arrives together in one statement. */
const atOnce = { requests: 32, bytes: 8 * 1024 * 1024 }
/** While the intake is full: how often it is asked again, and how long at the most. */
const waitMs = { first: 200, most: 5_000, attempts: 20 }

/**
 * Brings one file of telemetry through the intake, request by request: stamped with the deployment, at its original times, by the
 * customer's setting and the project's retention as if it had come over the network. What is stored already is left, so that the same
 * file may come again. A request that can't be read is passed over, as it would be refused over the network. Answers how many went in.
 *
 * @throws LandfallError `E_TELEMETRY_BUSY` after a while, `E_EXPORT_INVALID`
 */
export async function takeTelemetry(
  deps: { telemetry: Pick<Intake, 'take'>; clock: Clock; random: Random },
  content: AsyncIterable<Uint8Array>,
  of: Pick<Incoming, 'signal' | 'project' | 'deployment'>,
): Promise<number> {
  let taken = 0
  let held = 0
  let pending: Promise<boolean>[] = []
  const settle = async () => {
    // All of them are waited for, also when one fails: none goes on behind the answer.
    const settled = await Promise.allSettled(pending)
    pending = []
    held = 0
    for (const one of settled) {
      if (one.status === 'rejected') throw one.reason
      if (one.value) taken += 1
    }
  }
  for await (const body of lines(content, maxLineBytes)) {
    const one = takeOne(deps, { ...of, body, contentType: 'application/json', contentEncoding: undefined })
    // It is asked for its end later, maybe after it has failed.
    one.catch(() => {})
    pending.push(one)
    held += body.length
    if (pending.length >= atOnce.requests || held >= atOnce.bytes) await settle()
  }
  await settle()
  return taken
}

/** Nothing reads the telemetry of a deployment that is gone: the export that says so may bring the last of it. */
const passedOver = ['E_OTLP_MALFORMED', 'E_OTLP_TOO_LARGE', 'E_OTLP_ENCODING', 'E_NOT_FOUND']

async function takeOne(
  { telemetry, clock, random }: Parameters<typeof takeTelemetry>[0],
  incoming: Incoming,
): Promise<boolean> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await telemetry.take(incoming)
      return true
    } catch (error) {
      if (!LandfallError.is(error)) throw error
      if (passedOver.includes(error.code)) return false
      if (error.code !== 'E_TELEMETRY_BUSY' || attempt >= waitMs.attempts) throw error
      await clock.sleep(random.next() * Math.min(waitMs.most, waitMs.first * 2 ** attempt))
    }
  }
}

import type { CustomerSettings } from '@landfall/stack'
import { LandfallError } from '@landfall/stack'
import {
  checkRequest,
  type Encoding,
  type Identity,
  letPass,
  parseRequest,
  readBody,
  recordCount,
  type Signal,
} from '@landfall/telemetry'
import type { Payload } from '../spool/spool.ts'

export interface IntakeDeps {
  /** The customer's setting as it is in force now. */
  policy(): CustomerSettings['telemetry']
  identity: Identity
  spool: { append(payload: Payload): boolean }
  /** The customer's own endpoint, where there is one: it gets everything, for nothing leaves the customer's hands. */
  own(payload: Payload): void
  /** What was put into the spool is to be sent. */
  wake(): void
}

export interface IntakeCounters {
  /** Payloads that came, and those of which the customer lets nothing leave. */
  taken: number
  withheld: number
  refused: number
}

/**
 * Takes one export request of the deployment's workers. What the customer does not let leave is dropped before anything touches the
 * disk. `rejected`: records that could not be kept since the disk is full; the spool counts them.
 */
export function createIntake(deps: IntakeDeps) {
  const counters: IntakeCounters = { taken: 0, withheld: 0, refused: 0 }
  const take = async (
    signal: Signal,
    body: Uint8Array,
    contentType: string | undefined,
    contentEncoding: string | undefined,
  ): Promise<{ encoding: Encoding; rejected: number }> => {
    const { bytes, encoding } = await readBody(body, contentType, contentEncoding)
    const parsed = parseRequest(bytes, encoding, signal, deps.identity)
    // Here and not at the manager: what is refused there would have to be thrown away on the way.
    checkRequest(parsed.request, signal)
    counters.taken += 1
    deps.own({ signal, encoding, body: parsed.stamped })
    const passed = letPass(deps.policy(), signal, encoding, parsed)
    if (!passed) {
      counters.withheld += 1
      return { encoding, rejected: 0 }
    }
    try {
      deps.spool.append({ signal, encoding: passed.encoding, body: passed.bytes })
    } catch (error) {
      if (!LandfallError.is(error) || error.code !== 'E_DISK_FULL') throw error
      return { encoding, rejected: recordCount(passed.request, signal) }
    }
    deps.wake()
    return { encoding, rejected: 0 }
  }
  return {
    counters,
    take: async (...request: Parameters<typeof take>) => {
      try {
        return await take(...request)
      } catch (error) {
        counters.refused += 1
        throw error
      }
    },
  }
}

export type Intake = ReturnType<typeof createIntake>

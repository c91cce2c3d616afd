import type { Clock, Log, Random } from '@landfall/engine'
import { Endpoint } from '@landfall/telemetry'
import type { Payload } from '../spool/spool.ts'

export interface OwnEndpoint {
  send(payload: Payload): void
  close(): Promise<void>
}

/**
 * The customer's own OTLP endpoint, set where the agent is run: `LANDFALL_AGENT_OTLP_FORWARD` is its base address,
 * `LANDFALL_AGENT_OTLP_FORWARD_HEADERS` headers as `name=value,…`, percent-encoded. Null without the first. Bounded in memory:
 * what the endpoint does not take in two minutes is lost to it.
 */
export function ownEndpoint(
  env: Readonly<Record<string, string | undefined>>,
  deps: { clock: Clock; random: Random; log: Log },
): OwnEndpoint | null {
  const url = env.LANDFALL_AGENT_OTLP_FORWARD
  if (!url) return null
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    deps.log.warn('LANDFALL_AGENT_OTLP_FORWARD is no http(s) address; telemetry is not sent there', {})
    return null
  }
  const { clock, random } = deps
  const endpoint = new Endpoint({
    url,
    headers: headersOf(env.LANDFALL_AGENT_OTLP_FORWARD_HEADERS ?? ''),
    clock,
    random,
  })
  return {
    send: ({ signal, encoding, body }) => endpoint.send({ signal, encoding, bytes: body }),
    close: () => endpoint.close(),
  }
}

function headersOf(text: string): Record<string, string> {
  const pairs = text.split(',').flatMap((pair) => {
    const [name = '', ...value] = pair.split('=')
    return name.trim() === '' ? [] : [[decode(name.trim()), decode(value.join('=').trim())] as const]
  })
  return Object.fromEntries(pairs)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

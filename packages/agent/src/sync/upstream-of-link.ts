import { agentKeyset, routes } from '@landfall/contract'
import { envelopeSchema } from '@landfall/release'
import type { Upstream } from '../sources/upstream.ts'
import { accepted, callJson, Refusal } from './calls.ts'
import type { ManagerLink } from './link.ts'

const callMs = 30_000
/** A release's envelope may be 8 MiB: see `envelopeSchema`. */
const envelopeBytes = 9 * 1024 * 1024
const keysetBytes = 32 * 1024 * 1024

/** What the site lacks, from the manager by the agent's session. */
export function upstreamOf(link: ManagerLink, signal: AbortSignal): Upstream {
  const { transport } = link
  const at = (path: string, digest: string) => path.replace('{digest}', encodeURIComponent(digest))
  return {
    release: (digest) =>
      link.withToken(async (token) => {
        const path = at(routes.getAgentRelease.path, digest)
        const call = { method: 'GET' as const, path, token, timeoutMs: callMs, signal }
        try {
          return await callJson(transport, call, envelopeSchema, envelopeBytes)
        } catch (error) {
          if (error instanceof Refusal && error.status === 404) return null
          throw error
        }
      }),
    keyset: () =>
      link.withToken((token) => {
        const { path } = routes.getAgentKeyset
        return callJson(transport, { method: 'GET', path, token, timeoutMs: callMs, signal }, agentKeyset, keysetBytes)
      }),
    blob: (digest, from, over) =>
      link.withToken(async (token) => {
        const path = at(routes.getAgentBlob.path, digest)
        const get = (headers: Record<string, string>) =>
          accepted(transport, {
            method: 'GET',
            path,
            token,
            timeoutMs: callMs,
            signal: AbortSignal.any([over, signal]),
            headers: { accept: 'application/octet-stream', ...headers },
          })
        if (from === 0) return streamOf(await get({}))
        try {
          return streamOf(await get({ range: `bytes=${from}-` }))
        } catch (error) {
          // What is here is longer than the content: begin again.
          if (!(error instanceof Refusal) || (error.status !== 416 && error.status !== 400)) throw error
          return streamOf(await get({}))
        }
      }),
  }
}

function streamOf({ status, headers, body }: Awaited<ReturnType<typeof accepted>>) {
  const range = status === 206 ? /^bytes (\d+)-\d+\/(\d+)$/.exec(String(headers['content-range'])) : null
  const length = Number(headers['content-length'] ?? Number.NaN)
  const total = range ? Number(range[2]) : Number.isSafeInteger(length) ? length : null
  return { from: range ? Number(range[1]) : 0, total, content: body }
}

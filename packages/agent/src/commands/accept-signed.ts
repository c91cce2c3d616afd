import { parseEnvelope, verifyCommand, verifyKeyset } from '@landfall/release'
import { LandfallError } from '@landfall/stack'
import type { AgentParts } from '../parts.ts'
import type { CommandQueue } from './command-queue.ts'
import { nonceSeen, useNonce } from './nonces.ts'

/**
 * Takes a signed command, from a bundle or from a person at the site: proved under the keyset, for this deployment, not expired, never
 * accepted before. Its nonce is used up in the same write that queues it.
 *
 * @throws LandfallError those of `verifyCommand`; `E_COMMAND_REPLAYED`, `E_COMMAND_QUEUE_FULL`, `E_KEYSET_MISSING`
 */
export async function acceptSigned(
  parts: Pick<AgentParts, 'state' | 'clock' | 'setup' | 'sources'>,
  queue: CommandQueue,
  text: string,
): Promise<{ id: string }> {
  const { state, clock, setup, sources } = parts
  const { id: deployment, project } = setup.deployment
  const now = clock.now()
  const { trust } = sources
  const keyset = verifyKeyset(trust.keyset(), {
    ...{ root: trust.root(), minVersion: Math.max(1, trust.version()), now, project },
  })
  const statement = await verifyCommand(parseEnvelope(text), {
    ...{ keyset, project, deployment, now },
    // Only the vendor's key: whoever runs the manager can't send what was carried here.
    trust: ['vendor'],
    nonces: { seen: async (nonce) => nonceSeen(state, nonce) },
  })
  const { id, worker, command, input, nonce } = statement
  const [issuedAt, deadline] = [Date.parse(statement.issuedAt), Date.parse(statement.expiresAt)]
  // Synchronous from here: nothing comes between this look and the write.
  if (nonceSeen(state, nonce) || queue.records.get(id)) {
    throw new LandfallError({
      code: 'E_COMMAND_REPLAYED',
      message: `The command ${id} (${worker}.${command}) was accepted here before.`,
      hint: 'It is not run again. If it is meant to run once more, the vendor issues a new one.',
      subject: `command:${id}`,
    })
  }
  const origin = { worker, command, issuedAt, deadline }
  queue.add({ id, worker, version: null, command, input, deadline, origin }, () => useNonce(state, nonce, deadline))
  return { id }
}

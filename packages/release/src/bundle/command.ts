import { LandfallError, problemsOf, resourceName } from '@landfall/stack'
import { z } from 'zod'
import { type Envelope, signEnvelope } from '../dsse/envelope.ts'
import { canonicalBytes } from '../json/canonical-bytes.ts'
import type { KeyKind, Signer } from '../keys/signing-key.ts'
import { type Keyset, timestamp } from '../keyset/keyset.ts'
import { deploymentId } from './bundle-statement.ts'
import { requireSigned } from './signed-document.ts'

export const commandSchemaId = 'landfall.dev/command/v1'
export const commandPayloadType = 'application/vnd.landfall.command.v1+json'

/** How far a site's clock may be behind the vendor's: nobody sets it there but people. */
const clockToleranceMs = 60 * 60_000

/** A call into a worker of one deployment, once, before a time: what a site without network is given to run. */
export const commandStatement = z.strictObject({
  schema: z.literal(commandSchemaId),
  project: resourceName,
  /** What its result is reported under. */
  id: z.string().regex(/^[\w.:-]{1,100}$/),
  deployment: deploymentId,
  worker: resourceName,
  command: resourceName,
  /** Checked against the command's schema by who runs it: that is in the release, not here. */
  input: z.json(),
  issuedAt: timestamp,
  expiresAt: timestamp,
  /** 128 random bits or more, as the caller made them; never accepted twice. */
  nonce: z.string().regex(/^[\w-]{22,128}$/),
})
export type CommandStatement = z.infer<typeof commandStatement>

/** Remembers nonces. What `seen` says must outlive a restart. */
export interface NonceStore {
  seen(nonce: string): Promise<boolean>
}

/** Checks and signs a command. Throws `E_COMMAND_INVALID`. */
export async function signCommand(content: Omit<CommandStatement, 'schema'>, signer: Signer): Promise<Envelope> {
  const value = checkCommand({ schema: commandSchemaId, ...content })
  return signEnvelope(commandPayloadType, canonicalBytes(value), [signer])
}

/**
 * Proves a command for this deployment, now. Consuming the nonce is the caller's, in the same durable write as its acceptance.
 *
 * @param options.now milliseconds since the epoch
 * @throws LandfallError `E_COMMAND_INVALID`, `E_COMMAND_DEPLOYMENT`, `E_COMMAND_EXPIRED`, `E_COMMAND_EARLY`, `E_COMMAND_REPLAYED`, those of `requireSigned`
 */
export async function verifyCommand(
  envelope: Envelope,
  options: {
    keyset: Keyset
    trust?: readonly KeyKind[]
    project: string
    deployment: string
    now: number
    nonces: NonceStore
  },
): Promise<CommandStatement> {
  const command = requireSigned(envelope, {
    payloadType: commandPayloadType,
    what: 'command',
    keyset: options.keyset,
    trust: options.trust ?? ['vendor'],
    parse: checkCommand,
    dated: (statement) => statement.issuedAt,
  })
  if (command.project !== options.project || command.deployment !== options.deployment) {
    throw refused('E_COMMAND_DEPLOYMENT', command, 'is for another deployment', 'Give it to the one it names.')
  }
  if (options.now > Date.parse(command.expiresAt)) {
    throw refused(
      'E_COMMAND_EXPIRED',
      command,
      `expired at ${command.expiresAt}`,
      'Ask the vendor for a new one, and check the clock of this machine.',
    )
  }
  if (Date.parse(command.issuedAt) > options.now + clockToleranceMs) {
    throw refused(
      'E_COMMAND_EARLY',
      command,
      `was issued at ${command.issuedAt}, which by this machine's clock is still to come`,
      'Set the clock of this machine: with it behind, nothing here expires when it should.',
    )
  }
  if (await options.nonces.seen(command.nonce)) {
    throw refused(
      'E_COMMAND_REPLAYED',
      command,
      'was accepted here before',
      'It is not run again. If it is meant to run once more, the vendor issues a new one.',
    )
  }
  return command
}

function checkCommand(value: unknown): CommandStatement {
  const parsed = commandStatement.safeParse(value)
  if (parsed.success && parsed.data.issuedAt < parsed.data.expiresAt) return parsed.data
  throw new LandfallError({
    code: 'E_COMMAND_INVALID',
    message: parsed.success
      ? 'The command is not valid: it expires before it is issued.'
      : 'The command is not valid: it does not have the shape of a command.',
    hint: 'Issue it again.',
    problems: parsed.success ? [] : problemsOf(parsed.error, value),
  })
}

function refused(code: string, command: CommandStatement, what: string, hint: string): LandfallError {
  return new LandfallError({
    code,
    message: `The command ${command.id} (${command.worker}.${command.command}) ${what}.`,
    hint,
    subject: `command:${command.id}`,
  })
}

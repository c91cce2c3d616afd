import type { Digest } from '@landfall/stack'
import { LandfallError } from '@landfall/stack'
import { type Envelope, parseEnvelope } from '../dsse/envelope.ts'
import type { ReleaseStatement } from '../statement/statement.ts'
import { verifyRelease } from '../statement/verify-release.ts'
import { type BundleRelease, bundleInvalid } from './bundle-statement.ts'
import type { TrustedHead, TrustOptions } from './check-trust.ts'
import { type CommandStatement, type NonceStore, verifyCommand } from './command.ts'

export interface ContentOptions extends TrustOptions {
  /** Nonces of commands that were accepted before. */
  nonces: NonceStore
  /** `refuse` (default): one command that is expired, early or replayed refuses the bundle. `skip`: it is left out and reported. */
  commandFailures?: 'refuse' | 'skip'
}

export interface BundleContents {
  releases: { entry: BundleRelease; statement: ReleaseStatement }[]
  commands: { statement: CommandStatement; envelope: Envelope; digest: Digest }[]
  refusedCommands: { id: string; code: string }[]
}

/**
 * Proves the documents of a bundle one by one, in any order: releases, and commands. `take` wants the blob's verified bytes.
 * Errors are those of `verifyRelease` and `verifyCommand`, and `E_BUNDLE_INVALID`.
 */
export function contentCheck(trusted: TrustedHead, options: ContentOptions) {
  const { statement, keyset } = trusted
  const releases = new Map(statement.releases.map((release) => [release.envelope, release]))
  const commands = new Map(statement.commands.map((command) => [command.digest, command]))
  const sizes = new Map([...statement.blobs, ...statement.omitted].map((blob) => [blob.digest, blob.size]))
  const found: BundleContents = { releases: [], commands: [], refusedCommands: [] }
  const nonces = new Set<string>()

  function takeRelease(entry: BundleRelease, bytes: Uint8Array): void {
    const release = verifyRelease(parseEnvelope(Buffer.from(bytes).toString('utf8')), {
      keyset,
      trust: options.trust ?? ['vendor'],
      project: options.project,
      now: options.now,
      digest: entry.digest,
    })
    for (const what of ['version', 'channel', 'sequence'] as const) {
      if (release[what] !== entry[what])
        throw bundleInvalid(`it names another ${what} than the release ${entry.version}`)
    }
    const missing = release.artifacts.find((artifact) => sizes.get(artifact.digest) !== artifact.size)
    if (missing) throw bundleInvalid(`it has no content for ${missing.resource} of the release ${entry.version}`)
    if (release.sbom && (entry.sbom !== release.sbom.digest || sizes.get(release.sbom.digest) !== release.sbom.size)) {
      throw bundleInvalid(`it lacks the bill of materials of the release ${entry.version}`)
    }
    found.releases.push({ entry, statement: release })
  }

  async function takeCommand(id: string, digest: Digest, bytes: Uint8Array): Promise<void> {
    const seen = async (nonce: string) => nonces.has(nonce) || (await options.nonces.seen(nonce))
    try {
      const envelope = parseEnvelope(Buffer.from(bytes).toString('utf8'))
      const command = await verifyCommand(envelope, { ...options, keyset, nonces: { seen } })
      if (command.id !== id) throw bundleInvalid('it names a command by another id')
      nonces.add(command.nonce)
      found.commands.push({ statement: command, envelope, digest })
    } catch (cause) {
      if (options.commandFailures !== 'skip' || !LandfallError.is(cause) || !skippable.has(cause.code)) throw cause
      found.refusedCommands.push({ id, code: cause.code })
    }
  }

  return {
    /** Digests of the blobs that `take` needs. */
    documents: new Set([...releases.keys(), ...commands.keys()]),
    async take(digest: Digest, bytes: Uint8Array): Promise<void> {
      const release = releases.get(digest)
      if (release) takeRelease(release, bytes)
      const command = commands.get(digest)
      if (command) await takeCommand(command.id, digest, bytes)
    },
    contents(): BundleContents {
      found.releases.sort((a, b) => a.entry.sequence - b.entry.sequence)
      found.commands.sort((a, b) => (a.statement.id < b.statement.id ? -1 : 1))
      return found
    },
  }
}

/** What happens to honest commands that travel slowly or twice, or to a site whose clock is off. */
const skippable = new Set(['E_COMMAND_EXPIRED', 'E_COMMAND_EARLY', 'E_COMMAND_REPLAYED'])

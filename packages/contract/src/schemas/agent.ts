import { customerSettings, digest, models, platformNames } from '@landfall/stack'
import { z } from 'zod'
import { auditEntry } from './activity.ts'
import { projectName, time } from './common.ts'
import { policy } from './deployment.ts'
import { envelope } from './release.ts'

/*
 * What passes between a manager and an agent. The same documents travel by sync (pull) and in bundles and exports (airgapped):
 * an `order` one way, a `report` the other. Instants in them are milliseconds since the epoch where the engine reads them.
 */

/** SubjectPublicKeyInfo (DER) in base64: Ed25519 to sign, X25519 to be sealed to. */
const publicKey = z.string().regex(/^[A-Za-z0-9+/]{40,200}={0,2}$/)
export const agentKeys = z.strictObject({ sign: publicKey, seal: publicKey })

export const deploymentRef = z.strictObject({
  id: z.string().max(80),
  name: z.string().max(80),
  project: projectName,
  prefix: z.string().max(40),
  platform: z.enum(platformNames),
  model: z.enum(models),
  environment: z.record(z.string(), z.unknown()),
})

/** What an agent is set up with: made for one deployment, carried to the site, reviewed there. The token is used once. */
export const agentSetup = z.strictObject({
  schema: z.literal('landfall.dev/agent-setup/v1'),
  deployment: deploymentRef,
  /** Pinned at setup: whatever it has not signed, directly or through the keyset, is refused. */
  root: z.strictObject({ publicKey }),
  /** The manager's X25519 key: what a site hands back is sealed to it. */
  reply: z.strictObject({ seal: publicKey }),
  enrolment: z.strictObject({ token: z.string(), expiresAt: time }),
  /** Null: no network; bundles bring everything. */
  sync: z.strictObject({ url: z.url() }).nullable(),
  customer: customerSettings,
  policy,
})
export type AgentSetup = z.infer<typeof agentSetup>

/**
 * Binds the agent's keys to its deployment, once. `proof`: base64url of HMAC-SHA256 over the canonical JSON of
 * `{ deployment, keys }` under SHA-256(token), so that the token itself never travels. The same keys may ask again.
 */
export const enrolment = z.strictObject({
  deployment: z.string().max(80),
  keys: agentKeys,
  proof: z.string().regex(/^[\w-]{43}$/),
  agent: z.strictObject({ version: z.string().max(40), platform: z.string().max(80) }),
})
export type Enrolment = z.infer<typeof enrolment>

export const sessionPayloadType = 'application/vnd.landfall.agent-session.v1+json'
/**
 * What the agent signs to begin a session. `previous` is the number of its last session as it remembers it: of two agents with one key
 * only one can name it, so a copied volume is found out. The same `nonce` again gets the same session: a lost answer is harmless.
 */
export const sessionRequest = z.strictObject({
  deployment: z.string().max(80),
  previous: z.number().int().min(0),
  nonce: z.string().regex(/^[\w-]{22,64}$/),
})
export const poll = z.object({
  /** How long a waiting sync is held, between two syncs where waiting does not work, and the random part on top. Milliseconds. */
  waitMs: z.number().int(),
  intervalMs: z.number().int(),
  jitterMs: z.number().int(),
})
export const session = z.object({
  number: z.number().int(),
  /** Bearer token of the agent's other calls. */
  token: z.string(),
  expiresAt: time,
  now: time,
  poll,
})

const control = z.strictObject({
  id: z.string(),
  kind: z.enum(['pause', 'resume', 'promote', 'promote-full', 'abort', 'retry']),
  by: z.string(),
  at: z.number(),
  reason: z.string().optional(),
  target: digest.optional(),
})
export const answer = z.strictObject({
  gate: z.string().max(200),
  target: digest,
  status: z.enum(['pass', 'fail']),
  by: z.string().max(200),
  at: z.number(),
  message: z.string().max(500).optional(),
})
export const configDocument = z.strictObject({
  inputs: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  secrets: z.record(z.string(), z.strictObject({ version: z.number().int(), hash: z.string() })),
  bindings: z.record(z.string(), z.unknown()),
})
const target = z.strictObject({ digest, release: digest, config: digest })

/** What a deployment is to be: `Desired` with the config it needs. A higher generation replaces a lower one whole. */
export const order = z.strictObject({
  schema: z.literal('landfall.dev/order/v1'),
  generation: z.number().int().min(1),
  deployment: deploymentRef,
  operation: z.enum(['run', 'destroy']),
  target: target.nullable(),
  setup: z.strictObject({ release: digest }).nullable(),
  controls: z.array(control).max(200),
  /** Given in the portal; where the agent demands its own, they do not count. */
  answers: z.array(answer).max(200),
  /** The portal's. */
  customer: customerSettings,
  policy,
  /** The config of the target. */
  config: configDocument.nullable(),
  /** Highest number of an export that was taken in: the site forgets what only those carried. */
  confirmed: z.number().int().min(0).optional(),
  /** Each sealed to the agent's key; see `sealTo` in @landfall/release, context `secret:<deployment>:<name>:<version>`. */
  secrets: z.array(z.strictObject({ name: z.string(), version: z.number().int(), sealed: z.string() })).max(500),
})
export type Order = z.infer<typeof order>
/** How an order lies in a bundle: an attachment of this name and type. */
export const orderAttachment = { name: 'order.json', mediaType: 'application/vnd.landfall.order.v1+json' } as const

/** A command that the agent is to run; its lease is renewed by reporting it as running. */
export const commandOrder = z.strictObject({
  id: z.string().max(100),
  worker: z.string(),
  version: z.string().nullable(),
  command: z.string(),
  input: z.unknown(),
  attempt: z.number().int().min(1),
  deadline: z.number(),
})
export type CommandOrder = z.infer<typeof commandOrder>

export const commandUpdate = z.strictObject({
  id: z.string().max(100),
  attempt: z.number().int().min(1),
  status: z.enum(['running', 'postponed', 'succeeded', 'failed', 'expired', 'cancelled']),
  startedAt: z.number(),
  finishedAt: z.number().nullable(),
  /**
   * Pieces of output since the last report that was taken, numbered from 1 over all attempts. Each is sealed to the manager's key, context
   * `output:<deployment>:<command>:<number>`: an export lies on media that others carry.
   */
  output: z.array(z.strictObject({ number: z.number().int().min(1), at: z.number(), chunk: z.string().max(100_000) })),
  /** Sealed to the manager's key, context `result:<deployment>:<command>`: whoever carries it reads nothing. */
  result: z.string().max(2_000_000).nullable(),
  error: z.strictObject({ code: z.string().max(100), message: z.string().max(4_000) }).nullable(),
  /** Of a command that came in a bundle, or that the agent made itself for a gate: what the manager may not know. */
  origin: z
    .strictObject({
      worker: z.string(),
      command: z.string(),
      issuedAt: z.number(),
      deadline: z.number(),
      /** Who asked for it, where that was not the vendor: `gate:…`. */
      by: z.string().max(200).optional(),
    })
    .optional(),
})
export type CommandUpdate = z.infer<typeof commandUpdate>

/** What an agent says of itself. Each has a higher number than the last; an older one changes nothing. */
export const report = z.strictObject({
  schema: z.literal('landfall.dev/report/v1'),
  deployment: z.string().max(80),
  number: z.number().int().min(1),
  at: z.number(),
  /** Generation that was acted on, and the state it came to (`DeploymentState` of the engine). */
  observed: z.number().int(),
  wakeAt: z.number().nullable(),
  state: z.unknown().nullable(),
  /** The customer's settings as they are in force, and which of them were set at the agent. */
  customer: customerSettings,
  local: z.array(z.string()).max(20),
  /** Answers that were given at the agent. */
  answers: z.array(answer).max(200),
  /** Links of the agent's audit chain that the manager does not have, oldest first. */
  audit: z.array(auditEntry).max(500),
  commands: z.array(commandUpdate).max(100),
  agent: z.strictObject({
    version: z.string().max(40),
    platform: z.string().max(80),
    startedAt: z.number(),
    /** The agent's clock minus the manager's, milliseconds; null: it has not been compared. */
    clockOffsetMs: z.number().nullable(),
    /** Something that a person should know, such as a full disk. */
    problems: z
      .array(z.strictObject({ code: z.string().max(100), message: z.string().max(500), since: z.number() }))
      .max(20),
    telemetry: z.strictObject({
      bytes: z.number(),
      oldestAt: z.number().nullable(),
      dropped: z.array(
        z.strictObject({ reason: z.string(), signal: z.string(), items: z.number(), bytes: z.number() }),
      ),
    }),
  }),
})
export type Report = z.infer<typeof report>

export const syncRequest = z.strictObject({
  /** Generation of the order that the agent has; 0: none. */
  known: z.number().int().min(0),
  /** How long to hold the answer while there is nothing new, seconds; the server's own limit is lower or equal. */
  wait: z.number().int().min(0).max(120),
  /** Commands that the agent could begin now. */
  commandRoom: z.number().int().min(0).max(16),
  report: report.optional(),
})
export type SyncRequest = z.infer<typeof syncRequest>
export const syncAnswer = z.object({
  now: time,
  poll,
  /** Null: the agent has the newest. */
  order: order.nullable(),
  commands: z.array(commandOrder),
  /** Commands of the agent's that a person has cancelled. */
  cancel: z.array(z.string()),
  /** Highest number of a report that was taken, and where the manager's copy of the agent's audit chain ends. */
  reported: z.number().int(),
  audit: z.object({ number: z.number().int(), hash: z.string() }),
  /** Version of the newest keyset: the agent fetches it when it has an older one. */
  keyset: z.number().int(),
  /** Newest signed checkpoint of the manager's own chain of the deployment, for the customer to keep. */
  checkpoint: z.object({ number: z.number().int(), hash: z.string(), at: time, signature: z.string() }).nullable(),
})
export type SyncAnswer = z.infer<typeof syncAnswer>
export const agentKeyset = z.object({ version: z.number().int(), envelope, rotations: z.array(envelope) })

/** What the vendor's side knows of an agent. */
export const agentView = z.object({
  enrolled: z.boolean(),
  /** Short fingerprint of its signing key. */
  key: z.string().nullable(),
  enrolledAt: time.nullable(),
  session: z.number().int(),
  lastReportAt: time.nullable(),
  lastSeenAt: time.nullable(),
  /** How the last report came. */
  via: z.enum(['sync', 'export']).nullable(),
  version: z.string().nullable(),
  platform: z.string().nullable(),
  clockOffsetMs: z.number().nullable(),
  local: z.array(z.string()),
  problems: z.array(z.object({ code: z.string(), message: z.string(), since: time })),
  telemetry: report.shape.agent.shape.telemetry.nullable(),
  /** The newest bundle that was made for it; whether it was carried there is told by a later report. */
  bundle: z.object({ version: z.string().nullable(), at: time, by: z.string() }).optional(),
})

/** What a vendor's bundle takes along for one deployment, beside releases and keys. */
export const bundleOrder = z.object({ order, keyset: agentKeyset })
export const importedExport = z.object({
  deployment: z.string(),
  name: z.string(),
  sequence: z.number().int(),
  createdAt: time,
  /** `already`: this export was taken before, nothing was done. */
  status: z.enum(['imported', 'already']),
  enrolled: z.boolean(),
  reports: z.number().int(),
  receipts: z.array(z.object({ bundle: digest, importedAt: time, releases: z.array(z.string()) })),
  commands: z.array(z.object({ id: z.string(), status: z.string() })),
  telemetry: z.object({ logs: z.number().int(), metrics: z.number().int(), traces: z.number().int() }),
})

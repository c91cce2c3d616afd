import type { AuditLink, CommandUpdate, Order, Report } from '@landfall/contract'
import type { DeploymentState, Explanation } from '@landfall/engine'
import type { CustomerSettings } from '@landfall/stack'
import type { AuditCheck } from './audit/agent-audit.ts'

/** What a person at the site sees: what runs, what is asked, what waits for them. */
export interface AgentStatus {
  version: string
  deployment: { id: string; name: string; project: string; platform: string; model: string }
  /** Fingerprint of the agent's signing key: compared by people when it enrols. */
  key: string
  sync: {
    url: string
    /** `long-poll`: an update starts at once · `poll`: within the interval · `offline`: no answer since `since` */
    mode: 'long-poll' | 'poll' | 'offline' | 'starting' | 'refused'
    since: number
    lastAnswerAt: number | null
    error: { code: string; message: string } | null
  } | null
  enrolled: boolean
  order: Order | null
  observed: number
  state: DeploymentState | null
  explanation: Explanation | null
  customer: CustomerSettings
  /** Settings that were set here and win over the portal's. */
  local: string[]
  windows: { open: boolean; changesAt: number | null }
  /** What waits for a person here: the target's digest is what an approval names. */
  waits: {
    gate: string
    target: string
    version: string | null
    message: string
    difference: { area: string; change: string }[]
  }[]
  commands: CommandUpdate[]
  problems: Report['agent']['problems']
  telemetry: Report['agent']['telemetry']
  bundles: { bundle: string; importedAt: string; releases: string[] }[]
  exported: { sequence: number; at: number | null }
}

/** Null gives a setting back to the portal. */
export type SettingsChange = { [K in keyof CustomerSettings]?: CustomerSettings[K] | null | undefined }

export interface LogLine {
  /** ISO 8601. */
  at: string
  severity: string
  worker: string | null
  body: string
}

/** The running agent as its local API, and a test, use it. Each call is durable when it returns. */
export interface Agent {
  status(): Promise<AgentStatus>
  /** Takes a bundle in; goes on where an earlier call was cut off. Throws what `importBundle` throws. */
  importBundle(
    file: string,
    options?: { allowOlder?: boolean; by?: string; onProgress?: (done: number, total: number) => void },
  ): Promise<{
    status: 'imported' | 'already'
    bundle: string
    releases: string[]
    generation: number | null
    commands: string[]
    /** Left out: they came too late, or twice. */
    refusedCommands: { id: string; code: string }[]
  }>
  /** Writes what the site hands back. The next one has the next number; what was not confirmed is in it again. */
  exportTo(file: string, by?: string): Promise<{ sequence: number; size: number }>
  /** The vendor has taken in the exports up to this number: what only they carried is forgotten here. Answers how much telemetry. */
  confirmExports(through: number, by: string): Promise<{ forgotten: number }>
  /** Approves or refuses a target by its digest, as a person at the site. Throws `E_NOTHING_WAITS`. */
  answer(answer: { gate: string; target: string; status: 'pass' | 'fail'; by: string; message?: string }): Promise<void>
  /** Runs a signed command (a DSSE envelope as text). Throws `E_COMMAND_*`. */
  command(envelope: string, by?: string): Promise<{ id: string }>
  /** Begins no update until `resume`, which puts back what counted before. */
  pause(by: string): Promise<CustomerSettings>
  resume(by: string): Promise<CustomerSettings>
  changeSettings(change: SettingsChange, by: string): Promise<CustomerSettings>
  /** Links above the number `after`; `ok`: these hold and follow each other. */
  audit(after: number, limit: number): Promise<{ links: AuditLink[]; ok: boolean }>
  /** Recomputes the whole chain. */
  verifyAudit(): Promise<AuditCheck>
  /** Log lines that were not handed on yet, oldest first; at most `limit`, the newest ones. */
  logs(limit: number): Promise<LogLine[]>
  stop(): Promise<void>
}

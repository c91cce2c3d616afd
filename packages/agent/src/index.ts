export type { Agent, AgentStatus, LogLine, SettingsChange } from './agent.ts'
export { type LocalAddress, type LocalApi, serveLocalApi } from './api/local-api.ts'
export { createLocalClient, type LocalClient, type LocalTarget } from './api/local-client.ts'
export type { Body } from './api/routes.ts'
export { AgentAudit, type AuditCheck, type AuditEvent } from './audit/agent-audit.ts'
export { readSetup } from './identity/setup.ts'
export { type AgentLock, takeLock } from './lock.ts'
export type { AgentCommands, AgentParts } from './parts.ts'
export { type InitializedAgent, initAgent } from './setup/init-agent.ts'
export { keyFileBeside, keyOfAgent } from './setup/key-of-agent.ts'
export { makeKeyFile, makeTokenFile, rotateKeyFile } from './setup/make-key.ts'
export { systemdUnit, type UnitOptions, unitSocket } from './setup/systemd-unit.ts'
export { defaultSpoolLimits, type SpoolLimits } from './spool/limits.ts'
export {
  type DropReason,
  type Drops,
  type Payload,
  type Signal,
  Spool,
  type SpoolItem,
  type SpoolOptions,
  type SpoolStats,
} from './spool/spool.ts'
export { type StartAgentOptions, startAgent } from './start-agent.ts'
export { type AgentKey, readAgentKey, readAgentKeyFile } from './state/agent-key.ts'
export { AgentState } from './state/agent-state.ts'
export { rotateAgentKey } from './state/data-key.ts'
export { type AgentStore, type AgentStoreOptions, createAgentStore, type Look } from './store/agent-store.ts'

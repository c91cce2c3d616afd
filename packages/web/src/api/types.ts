import type { Client } from '@landfall/contract'

type Answer<O extends keyof Client> = Awaited<ReturnType<Client[O]>>
type ItemOf<T> = T extends { items: (infer I)[] } ? I : never

export type Deployment = ItemOf<Answer<'listDeployments'>>
export type DeploymentDetail = Answer<'getDeployment'>
export type Explanation = Answer<'explainDeployment'>
export type WorkerRollout = DeploymentDetail['workers'][number]
export type ResourceStatus = DeploymentDetail['resources'][number]
export type CommandDefinition = DeploymentDetail['commands'][number]
export type Fleet = Answer<'fleet'>
export type Rollout = ItemOf<Answer<'listRollouts'>>
export type RolloutDetail = Answer<'getRollout'>
export type RolloutMember = RolloutDetail['members'][number]
export type Release = ItemOf<Answer<'listReleases'>>
export type ReleaseDetail = Answer<'getRelease'>
export type Command = Answer<'getCommand'>
export type AuditEntry = ItemOf<Answer<'listAudit'>>
export type LogLine = ItemOf<Answer<'getLogs'>>
export type MetricSeries = Answer<'getMetrics'>['series'][number]
export type Config = Answer<'getConfig'>
export type Token = ItemOf<Answer<'listTokens'>>
export type TraceSummary = ItemOf<Answer<'listTraces'>>
export type Trace = Answer<'getTrace'>
export type Span = Trace['items'][number]
export type Portal = Answer<'getPortal'>
export type PortalRequest = Portal['requests'][number]
export type CustomerSettings = Portal['settings']
export type MaintenanceWindow = CustomerSettings['windows'][number]
export type AuditVerification = Answer<'verifyAudit'>
export type AgentView = Answer<'getAgent'>
export type AgentSetup = Answer<'createAgentSetup'>
export type ImportedExport = Answer<'importExport'>
export type Model = Deployment['model']
export type Control = 'pause' | 'resume' | 'promote' | 'promote-full' | 'abort' | 'retry'
export type Role = 'admin' | 'developer' | 'viewer'

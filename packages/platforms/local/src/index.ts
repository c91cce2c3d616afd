export * from './controllers/platform.ts'
export type { LogLine, TelemetryTarget } from './shared/control.ts'

export * from './controllers/platform.ts'
export { stopHost } from './controllers/stop-host.ts'
export type { DeadLetter, LogLine, TelemetryTarget } from './shared/control.ts'

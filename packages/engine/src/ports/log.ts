/** Diagnostics of the runner itself. What happened to a deployment goes to events, not here. Never holds a secret. */
export interface Log {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
}

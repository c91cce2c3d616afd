import { z } from 'zod'

/**
 * A time in which updates may begin: a recurrence (RFC 5545) of a local time in a time zone, for a duration. Local time is what
 * people mean: 02:00 stays 02:00 when the clocks change.
 */
export const maintenanceWindow = z.strictObject({
  /** RRULE without DTSTART, such as `FREQ=WEEKLY;BYDAY=SA,SU`. */
  rrule: z.string().min(1).max(500),
  /** First opening, local time: `2026-01-03T02:00`. */
  start: z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/, 'not a local time such as 2026-01-03T02:00'),
  /** How long it stays open, such as `4h` or `90m`; at most a week. */
  duration: z.string().regex(/^[1-9]\d{0,4}[mhd]$/, 'not a duration such as 4h'),
  /** IANA name, such as `Europe/Berlin`. */
  timeZone: z.string().min(1).max(64),
})
export type MaintenanceWindow = z.infer<typeof maintenanceWindow>

/**
 * What the customer says about a deployment, in every model. The vendor reads it and cannot change it: it is set in the portal, or at
 * the agent, whose own settings win over the portal's.
 */
export const customerSettings = z.strictObject({
  /** `automatic`: within the windows · `approval`: each target waits for one · `paused`: nothing new begins. */
  updates: z.enum(['automatic', 'approval', 'paused']).default('automatic'),
  /** Where an approval counts. `agent`: an approval given in the portal is the manager's word, and does not. */
  approvals: z.enum(['portal', 'agent']).default('portal'),
  /** Updates begin only while one is open; none: at any time. */
  windows: z.array(maintenanceWindow).max(20).default([]),
  telemetry: z.enum(['on', 'errors-only', 'off']).default('on'),
  /** `revoked`: the runner does nothing at all in the environment, and runs no command, until it is granted again. */
  access: z.enum(['granted', 'revoked']).default('granted'),
})
export type CustomerSettings = z.infer<typeof customerSettings>

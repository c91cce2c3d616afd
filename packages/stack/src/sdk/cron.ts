import type { Trigger } from '../manifest/resources.ts'

/** Trigger: a five-field cron expression, in UTC. */
export const cron = (schedule: string): Trigger => ({ kind: 'cron', schedule })

import { Cron } from 'croner'
import { canonicalJson } from '../canonical/canonical.ts'
import type { Problem } from '../errors/landfall-error.ts'
import type { Manifest } from '../manifest/manifest.ts'
import type { Trigger } from '../manifest/resources.ts'
import type { Types } from './check-manifest.ts'

export function checkTriggers(manifest: Manifest, types: Types): Problem[] {
  const problems: Problem[] = []
  const consumers = new Map<string, string>()
  for (const resource of manifest.resources) {
    if (resource.type !== 'worker') continue
    const seen = new Set<string>()
    for (const [i, trigger] of resource.triggers.entries()) {
      const path = `resources.${resource.name}.triggers[${i}]`
      const wrong = problemOfTrigger(trigger, types)
      if (wrong) problems.push({ path, message: wrong })
      const key = canonicalJson(trigger)
      if (seen.has(key)) problems.push({ path, message: 'is there twice: remove one' })
      seen.add(key)
      if (trigger.kind !== 'queue') continue
      const other = consumers.get(trigger.queue)
      if (other !== undefined) {
        const message = `takes the messages of "${trigger.queue}", as "${other}" does, so each would miss some: use a queue for each`
        problems.push({ path, message })
      }
      consumers.set(trigger.queue, other ?? resource.name)
    }
  }
  return problems
}

function problemOfTrigger(trigger: Trigger, types: Types): string | undefined {
  if (trigger.kind === 'cron') return problemOfSchedule(trigger.schedule)
  const name = trigger.kind === 'queue' ? trigger.queue : trigger.storage
  const type = types.get(name)
  if (type === undefined) return `is on the ${trigger.kind} "${name}", which is not in the stack: add it to resources`
  if (type !== trigger.kind) return `needs a ${trigger.kind}, but "${name}" is a ${type}`
  return undefined
}

/** Five fields, so that every platform's scheduler understands it. */
export function problemOfSchedule(schedule: string): string | undefined {
  // `@daily` and the like, and `L`, `W`, `#`, `?`: croner knows them, not every platform does.
  if (!/^[\d\s*,/A-Za-z-]+$/.test(schedule) || /[LW](\s|$|,)/i.test(schedule.replace(/[A-Z]{3}/gi, ''))) {
    return `has the schedule "${schedule}", which is not a cron expression of five fields, such as "0 6 * * *"`
  }
  try {
    const cron = new Cron(schedule, { mode: '5-part', timezone: 'UTC', paused: true })
    // From a fixed day, so that the same stack is right or wrong whenever it is compiled.
    if (cron.nextRun(new Date('2024-01-01T00:00:00Z')) === null)
      return `has the schedule "${schedule}", which never comes`
    return undefined
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : 'it can not be read'
    return `has the schedule "${schedule}", which is not a cron expression of five fields: ${reason}`
  }
}

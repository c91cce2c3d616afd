import type { Invocation } from '../protocol.ts'

/** Reads an invocation; undefined when it is none that this runtime knows. */
export function parseInvocation(text: string): Invocation | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  return isInvocation(value) ? value : undefined
}

function isInvocation(value: unknown): value is Invocation {
  const kind = field(value, 'kind')
  const all = (type: 'string' | 'number', of: unknown, ...names: string[]) =>
    names.every((name) => typeof field(of, name) === type)
  switch (kind) {
    case 'queue': {
      const message = field(value, 'message')
      if (!all('string', value, 'queue')) return false
      return all('string', message, 'id', 'body', 'contentType') && all('number', message, 'attempt', 'enqueuedAt')
    }
    case 'cron':
      return all('string', value, 'schedule') && all('number', value, 'scheduledAt')
    case 'storage': {
      const event = field(value, 'event')
      if (event !== 'created' && event !== 'deleted') return false
      return all('string', value, 'storage', 'key', 'id') && all('number', value, 'at')
    }
    case 'command':
      return all('string', value, 'command', 'id') && all('number', value, 'attempt', 'deadline')
    default:
      return false
  }
}

const field = (of: unknown, name: string): unknown =>
  of !== null && typeof of === 'object' ? Reflect.get(of, name) : undefined

/** What it is for, as telemetry names it. */
export function nameOf(invocation: Invocation): string {
  switch (invocation.kind) {
    case 'queue':
      return invocation.queue
    case 'cron':
      return invocation.schedule
    case 'storage':
      return invocation.storage
    case 'command':
      return invocation.command
  }
}

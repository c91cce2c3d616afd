import type { EnvironmentValue, RolloutPlan, Trigger } from '@landfall/stack'

/** `18.2 KiB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}

export function environmentText(value: EnvironmentValue): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}…` : value)
  return 'input' in value ? `the input ${value.input}` : `the secret ${value.secret}`
}

export function planText(plan: RolloutPlan | undefined): string {
  if (!plan) return "the project's default plan"
  if (plan.strategy !== 'canary') return plan.strategy === 'blue-green' ? 'blue-green' : 'all at once'
  const steps = plan.steps.map((step) => `${step.share}% for ${step.bake}`).join(', ')
  const measures = plan.analysis.map((one) => one.metric).join(', ')
  return `canary: ${steps}${measures ? `; measuring ${measures}` : ''}`
}

export function triggerText(trigger: Trigger): string {
  if (trigger.kind === 'cron') return `on schedule ${trigger.schedule}`
  if (trigger.kind === 'queue') return `for messages of ${trigger.queue}, ${trigger.concurrency} at a time`
  const prefix = trigger.prefix ? ` below ${trigger.prefix}` : ''
  return `when objects are ${trigger.events.join(' or ')} in ${trigger.storage}${prefix}`
}

/** Something that happened in a customer's environment or to a deployment; appended to its audit chain. Never holds a secret. */
export interface EngineEvent {
  at: number
  /** Dotted and stable, such as `resource.created`, `rollout.step-reached`, `rollout.aborted`. */
  type: string
  /** Stable reason code where there is one. */
  code?: string
  message: string
  resource?: string
  /** Small, JSON. Evidence of a verdict goes here whole. */
  data?: unknown
}

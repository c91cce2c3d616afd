import type { GateAnswer } from '@landfall/rollout'
import type { ComputeObservation, ResourceObservation, StepResult } from '../ports/platform.ts'

/** What came of one operation. */
export type Outcome =
  | { kind: 'step'; result: StepResult }
  | { kind: 'compute'; observation: ComputeObservation }
  | { kind: 'resource'; observation: ResourceObservation }
  | { kind: 'gate'; answer: GateAnswer }
  | { kind: 'ok' }
  | { kind: 'error'; code: string; message: string; retryable: boolean }

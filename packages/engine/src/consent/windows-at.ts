import type { MaintenanceWindow } from '@landfall/stack'

export interface WindowsAt {
  open: boolean
  /** When `open` changes next, in milliseconds since the epoch; null: never. */
  changesAt: number | null
}

/** Whether updates may begin at an instant. No window at all is always open. */
export function windowsAt(windows: readonly MaintenanceWindow[], _now: number): WindowsAt {
  if (windows.length === 0) return { open: true, changesAt: null }
  throw new Error('maintenance windows: being built')
}

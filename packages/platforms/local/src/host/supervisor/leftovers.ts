import { setTimeout as sleep } from 'node:timers/promises'
import type { HostStore } from '../store/host-store.ts'
import { markedProcesses, processStart, signalGroup } from './process-table.ts'

/**
 * Ends what a killed daemon left running, before anything new starts: its workers have lost their router and the
 * readers of their output, so they are replaced, never taken over. Recorded processes are believed by pid and start
 * time; the marker also finds one that was started but not yet recorded, and children that left their group.
 */
export async function endLeftovers(store: HostStore, marker: string): Promise<number> {
  let ended = 0
  for (const { instance, pid, started } of store.processes()) {
    if ((await processStart(pid)) === started && signalGroup(pid, 'SIGKILL')) ended++
    store.forgetProcess(instance)
  }
  for (let round = 0; round < 200; round++) {
    const pids = await markedProcesses(marker)
    if (pids.length === 0) break
    for (const pid of pids) if (signalGroup(pid, 'SIGKILL')) ended++
    await sleep(20)
  }
  return ended
}

import { setTimeout as sleep } from 'node:timers/promises'
import { runningPostmaster } from './postmaster.ts'

/** Fast shutdown (open transactions are rolled back), immediate after 20 s; resolves when the process is gone. */
export async function stopPostmaster(data: string, pid: number): Promise<void> {
  const stages = [
    { signal: 'SIGINT', ms: 20_000 },
    { signal: 'SIGQUIT', ms: 5_000 },
    { signal: 'SIGKILL', ms: 5_000 },
  ] as const
  for (const { signal, ms } of stages) {
    if ((await runningPostmaster(data))?.pid !== pid) return
    try {
      process.kill(pid, signal)
    } catch {
      return
    }
    const until = Date.now() + ms
    while (Date.now() < until) {
      if ((await runningPostmaster(data))?.pid !== pid) return
      await sleep(20)
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { DeploymentRef } from '@landfall/engine'
import type { LocalPlatform } from '@landfall/platform-local'

/** Calls back for every line that a worker writes, until the signal; goes on after the host was away. */
export async function followLogs(
  platform: LocalPlatform,
  deployment: DeploymentRef,
  worker: string,
  signal: AbortSignal,
  tell: (line: string) => void,
): Promise<void> {
  let since = Date.now()
  while (!signal.aborted) {
    try {
      for await (const line of platform.readLogs(deployment, { worker, since, follow: true, signal })) {
        since = line.at + 1
        tell(line.line)
      }
    } catch {
      // The host is being restarted, or the worker is not there yet: asked again below, from where it was left.
    }
    await sleep(500, undefined, { signal }).catch(() => {})
  }
}

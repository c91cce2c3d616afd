import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DeploymentRef } from '@landfall/engine'
import { type HostStatus, ownerHeader } from '../shared/control.ts'
import { placesOf } from './area.ts'

/**
 * Ends the daemon of an environment with its workers, and leaves all data: the next call that needs it starts it again.
 * For `landfall dev`, whose environment sleeps between two sessions. Nothing happens where none runs.
 */
export async function stopHost(deployment: DeploymentRef, deadlineMs = 20_000): Promise<void> {
  const { socket } = placesOf(deployment)
  const status = await askStatus(socket, deployment.id)
  if (!status) return
  process.kill(status.pid, 'SIGTERM')
  const until = Date.now() + deadlineMs
  while (Date.now() < until && isAlive(status.pid)) await sleep(50)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function askStatus(socketPath: string, deployment: string): Promise<HostStatus | null> {
  return new Promise((resolve) => {
    const request = http.request(
      { socketPath, path: '/v1/status', headers: { [ownerHeader]: deployment }, timeout: 2_000 },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        // A daemon that dies while it answers is one that does not run.
        response.on('error', () => resolve(null))
        response.on('end', () => resolve(response.statusCode === 200 ? statusOf(text) : null))
      },
    )
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(null))
    request.end()
  })
}

function statusOf(text: string): HostStatus | null {
  try {
    return JSON.parse(text) as HostStatus
  } catch {
    return null
  }
}

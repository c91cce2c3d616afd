import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const fixture = fileURLToPath(new URL('./fixture.ts', import.meta.url))

/** The fixture as a real process. */
export interface WorkerProcess {
  child: ChildProcess
  url: string
  token: string
  output(): string
  /** Resolves with the exit code, or the signal that ended it. */
  ended: Promise<number | string | null>
}

export async function startWorker(variables: Record<string, string> = {}): Promise<WorkerProcess> {
  const token = 'test-token'
  const env = {
    PATH: process.env.PATH ?? '',
    PORT: '0',
    LANDFALL_DEPLOYMENT: 'dep',
    LANDFALL_WORKER: 'api',
    LANDFALL_VERSION: '1.2.0',
    LANDFALL_VERSION_ID: 'sha256:0',
    LANDFALL_BINDINGS: '{}',
    LANDFALL_TOKEN: token,
    ...variables,
  }
  const child = spawn(process.execPath, [fixture], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const ended = new Promise<number | string | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? signal)),
  )
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      const port = /listening (\d+)/.exec(output)?.[1]
      if (port) resolve(`http://127.0.0.1:${port}`)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    void ended.then((code) => reject(new Error(`the worker ended with ${code}: ${output}`)))
  })
  return { child, url, token, output: () => output, ended }
}

export interface Received {
  path: string
  headers: Record<string, string | string[] | undefined>
  body: unknown
}

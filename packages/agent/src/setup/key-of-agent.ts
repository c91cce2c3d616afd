import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type AgentKey, readAgentKey, readAgentKeyFile } from '../state/agent-key.ts'

/** Where `landfall agent init` puts a key that it makes: beside the directory, because a copy of the one must not hold the other. */
export const keyFileBeside = (directory: string): string => `${directory.replace(/\/+$/, '')}.key`

/**
 * The agent's key: from the file that is named, else systemd's credential `agent-key`, else as `readAgentKey` finds it, else beside the
 * agent's directory.
 *
 * @throws LandfallError `E_AGENT_KEY_FILE`
 */
export function keyOfAgent(
  directory: string,
  env: Readonly<Record<string, string | undefined>>,
  named?: string | undefined,
): AgentKey {
  if (named !== undefined) return readAgentKeyFile(named)
  const credential = env.CREDENTIALS_DIRECTORY && join(env.CREDENTIALS_DIRECTORY, 'agent-key')
  if (credential && existsSync(credential)) return readAgentKeyFile(credential)
  if (env.LANDFALL_AGENT_KEY_FILE || env.LANDFALL_AGENT_KEY) return readAgentKey(env)
  return readAgentKeyFile(keyFileBeside(directory))
}

import { LandfallError } from '@landfall/stack'

export interface UnitOptions {
  /** What stands before `run`: node, the program and its words, as they are found on the machine that the unit is for. */
  program: readonly string[]
  directory: string
  keyFile: string
  user: string
  /** What else it must write: where the deployment's environment is. */
  writable?: readonly string[]
  deployment?: string
}

/** Where the unit's socket is: its own directory, because the agent's data directory is closed to the group. */
export const unitSocket = '/run/landfall-agent/agent.sock'

/**
 * A systemd unit for an agent, hardened as far as an agent can be that runs other people's programs under a user of its own. The workers
 * outlive a restart of the agent (`KillMode=process`), as they do everywhere else.
 *
 * @throws LandfallError `E_USAGE` for a path or name that a unit can't hold
 */
export function systemdUnit(options: UnitOptions): string {
  const { program, directory, keyFile, user, writable = [], deployment } = options
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(user)) throw refused('user', user)
  const paths = [directory, ...writable].map((path) => word(path))
  const command = [
    ...program.map((part) => (/^[a-z]+$/.test(part) ? part : word(part))),
    'run',
    '--data',
    word(directory),
  ]
  return `# Made by \`landfall agent unit\`: put it at /etc/systemd/system/landfall-agent.service
[Unit]
Description=Landfall agent${deployment === undefined ? '' : ` of ${plain(deployment)}`}
Documentation=https://landfall.dev/docs/agent
After=network-online.target
Wants=network-online.target

[Service]
Type=exec
User=${user}
Group=${user}
ExecStart=${[...command, '--socket', unitSocket].join(' ')}
LoadCredential=agent-key:${word(keyFile)}
RuntimeDirectory=landfall-agent
RuntimeDirectoryMode=0750
RuntimeDirectoryPreserve=yes
# The workers' supervisor keeps a socket there, which must outlive a restart; PrivateTmp would take it away.
Environment=TMPDIR=/run/landfall-agent
# Threads that hardly do anything share their memory: some MiB less.
Environment=MALLOC_ARENA_MAX=1
ReadWritePaths=${paths.join(' ')}
UMask=0077
Restart=on-failure
RestartSec=5
# The agent ends within seconds; what it runs stays.
KillMode=process
TimeoutStopSec=30

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`
}

/** An absolute path as a word of a unit: `%` begins a specifier, and quoting has rules of its own, so that little is let in. */
function word(path: string): string {
  if (/^\/[\w./+@~,=-]*$/.test(path)) return path
  throw refused('path', path)
}

const plain = (text: string) => text.replaceAll('%', '%%').replaceAll(/[^\x20-\x7e]/g, '?')

function refused(what: string, value: string): LandfallError {
  return new LandfallError({
    code: 'E_USAGE',
    message: `The ${what} ${JSON.stringify(value)} can not stand in a unit.`,
    hint:
      what === 'user' ? 'Give the name of a system user.' : 'Give a whole path of letters, digits and ./+@~,=-_ alone.',
  })
}

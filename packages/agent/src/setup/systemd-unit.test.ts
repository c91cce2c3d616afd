import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { scratch } from '../testing/scratch.ts'
import { systemdUnit } from './systemd-unit.ts'

const files = scratch()
afterAll(() => files.remove())

const options = {
  program: [process.execPath, '/opt/landfall/bin/landfall.js', 'agent'],
  directory: '/var/lib/landfall-agent',
  keyFile: '/etc/landfall/agent.key',
  user: 'nobody',
  writable: ['/srv/initech'],
  deployment: '100% initech',
}

/** Every setting of a unit, by section and name. */
function parsed(unit: string): Map<string, string> {
  const found = new Map<string, string>()
  let section = ''
  for (const line of unit.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const header = /^\[(\w+)\]$/.exec(line)?.[1]
    if (header) section = header
    else {
      const [, name = '', value = ''] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? expect.fail(`not a setting: ${line}`)
      found.set(`${section}.${name}`, value)
    }
  }
  return found
}

describe('the systemd unit', () => {
  it('is hardened, may write where it must and nowhere else, and gets the key from systemd', () => {
    const unit = parsed(systemdUnit(options))
    expect(Object.fromEntries(unit)).toMatchObject({
      'Unit.Description': 'Landfall agent of 100%% initech',
      'Service.User': 'nobody',
      'Service.NoNewPrivileges': 'yes',
      'Service.ProtectSystem': 'strict',
      'Service.ReadWritePaths': '/var/lib/landfall-agent /srv/initech',
      'Service.Restart': 'on-failure',
      'Service.LoadCredential': 'agent-key:/etc/landfall/agent.key',
      'Service.CapabilityBoundingSet': '',
    })
    expect(unit.get('Service.ExecStart')).toBe(
      `${process.execPath} /opt/landfall/bin/landfall.js agent run --data /var/lib/landfall-agent --socket /run/landfall-agent/agent.sock`,
    )
    for (const directory of ['relative', '/with space', '/with%h', '/a\nExecStart=/bin/sh', '/a"b']) {
      expect(() => systemdUnit({ ...options, directory })).toThrow(expect.objectContaining({ code: 'E_USAGE' }))
    }
    expect(() => systemdUnit({ ...options, user: 'a b' })).toThrow(expect.objectContaining({ code: 'E_USAGE' }))
  })

  it('passes systemd’s own check', ({ skip }) => {
    const directory = files.path()
    mkdirSync(directory)
    const file = join(directory, 'landfall-agent.service')
    writeFileSync(file, systemdUnit({ ...options, user: 'daemon' }))
    const { error, stdout, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' })
    if (error && 'code' in error && error.code === 'ENOENT') {
      console.log('not run: the unit checked by systemd-analyze, because systemd-analyze is not installed')
      return skip()
    }
    const said = `${stdout}${stderr}`
    expect(said.split('\n').filter((line) => line.includes('landfall-agent.service'))).toEqual([])
  })
})

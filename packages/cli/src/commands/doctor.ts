import { existsSync } from 'node:fs'
import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { Context, World } from '../context/context.ts'
import { Exit, exitCodes } from '../exit-codes.ts'
import { keyDirectory, keyFile } from '../keys/key-store.ts'
import { define } from './define.ts'

interface Check {
  name: string
  ok: boolean | null
  message: string
}

export function doctorCommand(program: Command, world: World): void {
  define(program, world, {
    name: 'doctor',
    summary: 'Check this machine, the manager and the project, and say what to do about what is wrong',
    examples: ['doctor', 'doctor --json'],
    async run(context) {
      const checks: Check[] = [node(), await manager(context), await signedIn(context), await project(context)]
      context.output.data({ checks }, (value) =>
        value.checks
          .map((check) => `${check.ok === null ? '–' : check.ok ? '✓' : '✗'} ${check.name}: ${check.message}`)
          .join('\n'),
      )
      if (checks.some((check) => check.ok === false)) throw new Exit(exitCodes.failed)
    },
  })
}

function node(): Check {
  return { name: 'Node', ok: true, message: `${process.versions.node}` }
}

async function attempt(name: string, work: () => Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, message: await work() }
  } catch (error) {
    const message = LandfallError.is(error) ? `${error.message} ${error.hint}` : String(error)
    return {
      name,
      ok: LandfallError.is(error, 'E_NO_PROJECT') || LandfallError.is(error, 'E_NO_MANAGER') ? null : false,
      message,
    }
  }
}

const manager = (context: Context) =>
  attempt('manager', async () => {
    const ready = await context.client().ready({})
    return `${context.url()} is ${ready.status}`
  })

const signedIn = (context: Context) =>
  attempt('sign-in', async () => {
    const me = await context.client().whoami({})
    return `${me.user?.email ?? me.kind}${me.user?.operator ? ', operator' : ''}`
  })

const project = (context: Context) =>
  attempt('project', async () => {
    const name = context.project()
    const key = keyFile(keyDirectory(context.environment, name), 'vendor')
    const found = await context.client().getProject({ params: { project: name } })
    if (!existsSync(key))
      return `${name}, keyset ${found.keyset}; no vendor key on this machine (${key}), so it can't release from here`
    return `${name}, keyset ${found.keyset}, ${found.deployments} deployments; releases are signed with ${key}`
  })

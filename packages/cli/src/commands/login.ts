import { hostname } from 'node:os'
import { password as askPassword, text as askText, isCancel } from '@clack/prompts'
import { createClient } from '@landfall/contract'
import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { readSettings, writeSettings } from '../context/settings.ts'
import { Exit, exitCodes } from '../exit-codes.ts'
import { define } from './define.ts'

export function loginCommand(program: Command, world: World): void {
  define<{ email?: string }>(program, world, {
    name: 'login',
    summary: 'Remember a manager and a token for it; asks for e-mail and password where no token is given',
    examples: ['login https://landfall.example.com', 'login http://127.0.0.1:8080 --token lf_user_…'],
    configure: (command) =>
      command.argument('<url>', "the manager's address").option('--email <address>', 'local account'),
    async run(context, [url = ''], options) {
      const given = program.opts<{ token?: string }>().token ?? world.environment.LANDFALL_TOKEN
      const token = given ?? (await tokenByPassword(url, options.email, context.output.interactive))
      const me = await createClient({ url, token }).whoami({})
      const settings = readSettings(world.environment)
      writeSettings(world.environment, { current: url, managers: { ...settings.managers, [url]: { token } } })
      context.output.data(me, (item) => `Signed in to ${url} as ${item.user?.email ?? `a ${item.kind} token`}.`)
    },
  })
}

/** Signs in with a local account and issues a token for this machine; the session is ended again. */
async function tokenByPassword(url: string, email: string | undefined, interactive: boolean): Promise<string> {
  if (!interactive) {
    throw new LandfallError({
      code: 'E_USAGE',
      message: 'Nobody can be asked for a password here.',
      hint: 'Give --token or LANDFALL_TOKEN; make one on the Settings page.',
    })
  }
  const address = email ?? (await askText({ message: 'E-mail' }))
  if (isCancel(address)) throw new Exit(exitCodes.failed)
  const secret = await askPassword({ message: 'Password' })
  if (isCancel(secret)) throw new Exit(exitCodes.failed)
  let cookie = ''
  const withCookie: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers)
    if (cookie) headers.set('cookie', cookie)
    const response = await fetch(input, { ...init, headers })
    cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
    return response
  }
  const client = createClient({ url, fetch: withCookie })
  await client.login({ body: { email: address, password: secret } })
  const issued = await client.createOwnToken({ body: { name: `landfall on ${hostname()}` } })
  await client.logout({})
  return issued.secret
}

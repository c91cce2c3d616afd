import { hostname } from 'node:os'
import { password as askPassword, text as askText } from '@clack/prompts'
import { createClient } from '@landfall/contract'
import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { Context, World } from '../context/context.ts'
import { createSessionFetch } from '../context/session-fetch.ts'
import { readSettings, writeSettings } from '../context/settings.ts'
import { Exit, exitCodes } from '../exit-codes.ts'
import { define } from './define.ts'

interface Options {
  email?: string
  name?: string
}

export function loginCommand(program: Command, world: World): void {
  define<Options>(program, world, {
    name: 'login',
    summary: 'Remember a manager and a token for it; from a one-time link, makes the account first',
    examples: [
      'login https://landfall.example.com',
      'login http://127.0.0.1:8080 --token lf_user_…',
      'login "http://127.0.0.1:8080/bootstrap?token=…" --email ada@example.com --name "Ada L."   (LANDFALL_PASSWORD where nobody can be asked)',
    ],
    configure: (command) =>
      command
        .argument('<url>', "the manager's address, or a one-time link")
        .option('--email <address>', 'local account')
        .option('--name <text>', 'for a new account'),
    async run(context, [given = ''], options) {
      const link = new URL(given)
      const url = link.origin
      const token =
        program.opts<{ token?: string }>().token ??
        world.environment.LANDFALL_TOKEN ??
        (await tokenBySession(context, link, options))
      const me = await createClient({ url, token }).whoami({})
      const settings = readSettings(world.environment)
      writeSettings(world.environment, { current: url, managers: { ...settings.managers, [url]: { token } } })
      context.output.data(me, (item) => `Signed in to ${url} as ${item.user?.email ?? `a ${item.kind} token`}.`)
    },
  })
}

/** Signs in with a local account (made first where a one-time link was given) and issues a token for this machine. */
async function tokenBySession(context: Context, link: URL, options: Options): Promise<string> {
  const url = link.origin
  const client = createClient({ url, fetch: createSessionFetch(url) })
  const email = options.email ?? (await ask(context, 'E-mail', 'Give --email.', (message) => askText({ message })))
  const password =
    context.environment.LANDFALL_PASSWORD ??
    (await ask(context, 'Password', 'Give --token, LANDFALL_TOKEN or LANDFALL_PASSWORD.', (message) =>
      askPassword({ message }),
    ))
  const once = link.searchParams.get('token')
  if (once) await client.bootstrap({ body: { token: once, email, name: options.name ?? email, password } })
  else await client.login({ body: { email, password } })
  const { secret } = await client.createOwnToken({ body: { name: `landfall on ${hostname()}` } })
  await client.logout({})
  return secret
}

async function ask(
  context: Context,
  question: string,
  hint: string,
  prompt: (message: string) => Promise<string | symbol>,
): Promise<string> {
  if (!context.output.interactive) {
    throw new LandfallError({ code: 'E_USAGE', message: `${question} is needed, and nobody can be asked here.`, hint })
  }
  const answer = await prompt(question)
  if (typeof answer !== 'string') throw new Exit(exitCodes.failed)
  return answer
}

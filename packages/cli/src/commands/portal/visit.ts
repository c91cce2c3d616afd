import { type Client, createClient } from '@landfall/contract'
import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { Context, World } from '../../context/context.ts'
import { define } from '../define.ts'

export interface VisitOptions {
  link?: string
}
/** Acting as the customer of one deployment. */
export interface Visit {
  client: Client
  params: { project: string; deployment: string }
}

/** Adds a command of the customer's; `run` gets who they are, from `--link`, `LANDFALL_LINK`, or the token of a link. */
export function visiting<Options extends object>(
  parent: Command,
  world: World,
  definition: {
    name: string
    summary: string
    examples: readonly string[]
    configure?: (command: Command) => void
    run: (visit: Visit, context: Context, options: Options) => Promise<void>
  },
): void {
  define<Options & VisitOptions>(parent, world, {
    ...definition,
    configure: (command) => {
      command.option('--link <url>', 'the portal link that the vendor gave (LANDFALL_LINK)')
      definition.configure?.(command)
    },
    async run(context, _args, options) {
      await definition.run(await visitOf(context, options.link), context, options)
    },
  })
}

/** Whom a caller acts as. Throws `E_USAGE` where they are not the customer. */
export async function visitOf(context: Context, given: string | undefined): Promise<Visit> {
  const link = given ?? context.environment.LANDFALL_LINK
  if (link !== undefined) return ofLink(link)
  const client = context.client()
  const { kind, project, deployment } = await client.whoami({})
  if (kind === 'deployer' && project && deployment) return { client, params: { project, deployment } }
  throw new LandfallError({
    code: 'E_USAGE',
    message: 'The portal is the customer’s: whoever has its link acts for them, and nobody else.',
    hint: 'Give the link with --link or as LANDFALL_LINK, or its token as LANDFALL_TOKEN. The vendor makes one with `landfall portal link DEPLOYMENT`.',
  })
}

function ofLink(text: string): Visit {
  const url = URL.canParse(text) ? new URL(text) : null
  const said = new URLSearchParams(url?.hash.slice(1))
  const [token, project, deployment] = [said.get('token'), said.get('project'), said.get('deployment')]
  if (url && token && project && deployment) {
    // The manager may live under a path: the page of the portal is the last part of it.
    const base = `${url.origin}${url.pathname.replace(/\/portal\/?$/, '')}`
    return { client: createClient({ url: base, token }), params: { project, deployment } }
  }
  throw new LandfallError({
    code: 'E_USAGE',
    message: 'That is not a portal link.',
    hint: 'Give it whole and in quotes: "https://…/portal#token=…&project=…&deployment=…".',
  })
}

import { setTimeout as sleep } from 'node:timers/promises'
import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { Context, World } from '../context/context.ts'
import { confirm } from './confirm.ts'
import { define } from './define.ts'

export function destroyCommand(program: Command, world: World): void {
  define<{ yes?: boolean }>(program, world, {
    name: 'destroy',
    summary: 'Destroy a deployment and everything it made in its environment, data included',
    examples: ['destroy acme', 'destroy acme --yes'],
    configure: (command) => command.argument('<deployment>', 'name or id').option('--yes', 'do not ask'),
    run: (context, [deployment = ''], options) => destroy(context, deployment, options.yes),
  })
}

/** Asks, destroys, and waits until nothing is left (at most five minutes). */
export async function destroy(context: Context, deployment: string, yes: boolean | undefined): Promise<void> {
  const client = context.client()
  const params = { project: context.project(), deployment }
  const before = await client.getDeployment({ params })
  const frozen = before.resources.filter((resource) => resource.lifecycle === 'frozen').map((resource) => resource.name)
  await confirm(
    context,
    `Destroys ${before.name}: ${before.resources.length} resources, among them ${frozen.join(', ') || 'none'} with their data. This can't be undone.`,
    'Destroy 1 deployment',
    yes,
  )
  await client.destroyDeployment({ params })
  if (before.model === 'airgapped') {
    context.output.data(
      { deployment: before.id, deleted: false },
      () =>
        `${before.name} is to be destroyed: the order goes to the site in its next bundle, and its export says when it is done.`,
    )
    context.output.next(`landfall bundle create --deployment ${before.name}`)
    return
  }
  const until = Date.now() + 300_000
  let said = ''
  while (Date.now() < until) {
    const now = await client.getDeployment({ params }).catch((error: unknown) => {
      if (LandfallError.is(error, 'E_NOT_FOUND')) return null
      throw error
    })
    if (!now || now.phase === 'deleted') {
      context.output.data(
        { deployment: before.id, deleted: true },
        () => `${before.name} is gone; nothing of it is left in its environment.`,
      )
      return
    }
    if (now.reason.message !== said) context.output.say(now.reason.message)
    said = now.reason.message
    await sleep(300, undefined, { signal: context.signal })
  }
  throw new LandfallError({
    code: 'E_DESTROY_SLOW',
    message: `${before.name} is still being destroyed after five minutes.`,
    hint: `It goes on without this command. See where it stands: landfall deployments explain ${deployment}`,
  })
}

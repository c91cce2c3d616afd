import type { permission } from '@landfall/contract'
import { computeOf, type Grant, type Manifest, type Resource } from '@landfall/stack'
import type { z } from 'zod'

type Permission = z.output<typeof permission>

const made: Readonly<Record<Resource['type'], string>> = {
  worker: 'It runs the vendor’s program.',
  container: 'It runs the vendor’s program.',
  storage: 'It holds files.',
  kv: 'It holds records.',
  queue: 'It holds messages until they are worked on.',
  secret: 'It holds a value that only the programs named below can read.',
  postgres: 'It holds a database.',
  manifests: 'It is applied as it stands in the release.',
}
const verbs: Readonly<Record<Grant['access'][number], string>> = {
  read: 'reads what is in it',
  write: 'changes what is in it',
  send: 'puts messages in',
  receive: 'takes messages out and works on them',
  connect: 'opens connections to it',
  invoke: 'calls it',
}

/** What the software may do in the environment, each with its reason, derived from the stack's resources and grants. */
export function permissionsOf(manifest: Manifest): Permission[] {
  const compute = computeOf(manifest)
  return manifest.resources.flatMap((resource) => {
    const say = (action: string, reason: string): Permission => ({
      resource: resource.name,
      lifecycle: resource.lifecycle,
      action,
      reason,
    })
    const frozen = resource.lifecycle === 'frozen'
    const own = [
      say(
        frozen ? 'made at setup, then only watched' : 'made, changed and removed by updates',
        resource.description ?? made[resource.type],
      ),
    ]
    if ((resource.type === 'worker' || resource.type === 'container') && resource.public) {
      own.push(say('reachable by the public', 'It answers requests from outside.'))
    }
    const commands = resource.type === 'worker' || resource.type === 'container' ? Object.keys(resource.commands) : []
    if (commands.length > 0) own.push(say('takes commands of the vendor', `These: ${commands.join(', ')}.`))
    const used = compute.flatMap((one) =>
      accessTo(one, resource.name).map((kind) => say(`${kind} by ${one.name}`, `${one.name} ${verbs[kind]}.`)),
    )
    return [...own, ...used]
  })
}

/** By grant, and a secret also by a variable of the environment. */
function accessTo(compute: ReturnType<typeof computeOf>[number], name: string): Grant['access'][number][] {
  const granted = compute.uses.filter((grant) => grant.resource === name).flatMap(({ access }) => access)
  const secret = Object.values(compute.env).some(
    (value) => typeof value === 'object' && 'secret' in value && value.secret === name,
  )
  return [...new Set([...granted, ...(secret ? (['read'] as const) : [])])]
}

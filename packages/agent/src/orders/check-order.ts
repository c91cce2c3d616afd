import type { Order, order as orderSchema } from '@landfall/contract'
import { canonicalJson, digestOf, LandfallError, problemsOf } from '@landfall/stack'
import type { SavedSetup } from '../identity/setup.ts'

/**
 * Whether an order may be taken: for this deployment, where the setup put it, and whole.
 *
 * @throws LandfallError `E_ORDER_INVALID`, `E_ORDER_DEPLOYMENT`
 */
export function checkOrder(schema: typeof orderSchema, given: unknown, setup: SavedSetup): Order {
  const parsed = schema.safeParse(given)
  if (!parsed.success) throw invalid('it does not have the shape of an order', problemsOf(parsed.error, given))
  const { deployment, target, config } = parsed.data
  // What the customer reviewed at setup: an order cannot move the deployment elsewhere, nor take what another one owns.
  if (placeOf(deployment) !== placeOf(setup.deployment)) {
    throw new LandfallError({
      code: 'E_ORDER_DEPLOYMENT',
      message: `The order is for ${deployment.name} (${deployment.id}), not for this agent's deployment as it was set up.`,
      hint: 'Nothing was changed. Have the vendor make the order for this deployment; to move it, set up a new agent.',
    })
  }
  if (target) {
    if (digestOf({ release: target.release, config: target.config }) !== target.digest) {
      throw invalid("its target's digest is not that of its release and config")
    }
    if (!config || digestOf(config) !== target.config) throw invalid('its config is not the one that its target names')
  }
  return parsed.data
}

function placeOf({ id, project, prefix, platform, model, environment }: Order['deployment']): string {
  return canonicalJson({ id, project, prefix, platform, model, environment })
}

function invalid(why: string, problems: LandfallError['problems'] = []): LandfallError {
  return new LandfallError({
    code: 'E_ORDER_INVALID',
    message: `The order is refused: ${why}.`,
    hint: 'Nothing was changed; the agent goes on with the order it has. Check that manager and agent are of versions that fit.',
    problems,
  })
}

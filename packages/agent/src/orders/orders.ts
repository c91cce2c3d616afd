import { type Order, order as orderSchema } from '@landfall/contract'
import type { Clock, Desired } from '@landfall/engine'
import type { AgentAudit } from '../audit/agent-audit.ts'
import type { SavedSetup } from '../identity/setup.ts'
import type { Settings } from '../settings/settings.ts'
import type { AgentState } from '../state/agent-state.ts'
import type { AgentStore } from '../store/agent-store.ts'
import { checkOrder } from './check-order.ts'
import { configName, forgetConfigs, secretName } from './config-names.ts'

/** What the vendor asks of the deployment, whichever way it came. */
export interface Orders {
  /** The newest order; null before the first. */
  current(): Order | null
  /**
   * Takes an order: durable when it returns, and the runner's from then on. One whose generation is not higher than the one there
   * changes nothing and answers false.
   *
   * @param via how it came, for the audit
   * @throws LandfallError `E_ORDER_DEPLOYMENT`, `E_ORDER_INVALID`, `E_DISK_FULL`
   */
  apply(order: unknown, via: string): boolean
}

export interface OrdersOptions {
  state: AgentState
  store: AgentStore
  audit: AgentAudit
  settings: Settings
  setup: SavedSetup
  /** Where the deployment lives on this machine, where the site decides that. */
  environment: Readonly<Record<string, unknown>>
  clock: Pick<Clock, 'now'>
  onApplied: () => void
}

export function openOrders(options: OrdersOptions): Orders {
  const { state, store, audit, settings, setup, environment, clock } = options
  const current = () => (state.get('order') as Order | undefined) ?? null
  return {
    current,
    apply(given, via) {
      const order = checkOrder(orderSchema, given, setup)
      const applied = state.transaction(() => {
        if (order.generation <= (current()?.generation ?? 0)) return false
        state.put('order', order)
        if (order.config && order.target) state.put(configName(order.target.config), order.config)
        for (const { name, version, sealed } of order.secrets) state.put(secretName(name, version), sealed)
        settings.takeOrdered(order.customer)
        const taken = store.put({ ...desiredOf(order, setup), deployment: { ...order.deployment, environment } })
        if (!taken) return false
        forgetConfigs(state, store.look(order.deployment.id)?.state ?? null, order.target)
        audit.append(order.deployment.id, [
          {
            at: clock.now(),
            type: 'order.taken',
            actor: 'agent',
            message: `Took order ${order.generation} (${order.operation}) by ${via}`,
            data: { generation: order.generation, target: order.target?.digest ?? null },
          },
        ])
        return true
      })
      if (applied) options.onApplied()
      return applied
    },
  }
}

/**
 * The engine's share of an order. What was shown at setup the manager cannot widen: a kind of key that was not shown is not trusted, and
 * a rollout that was to be taken back when its window closes is not let finish.
 */
function desiredOf(order: Order, setup: SavedSetup): Desired {
  const { generation, deployment, operation, target, setup: approved, controls, customer, answers, policy } = order
  return {
    generation,
    deployment,
    operation,
    target,
    setup: approved,
    controls,
    customer: { updates: customer.updates, access: customer.access, windows: customer.windows },
    answers,
    policy: {
      drift: policy.drift,
      windowClose: setup.policy.windowClose === 'abort' ? 'abort' : policy.windowClose,
      trustedKeys: policy.trustedKeys.filter((kind) => setup.policy.trustedKeys.includes(kind)),
    },
  } as Desired
}

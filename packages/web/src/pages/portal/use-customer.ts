import { useQueryClient } from '@tanstack/react-query'
import { customerApi, type LiveVisit } from '../../api/portal.ts'
import type { CustomerSettings } from '../../api/types.ts'
import { announce } from '../../ui/announce.tsx'

/** The customer's own calls: each says how it went, and the page is read again. */
export function useCustomer(visit: LiveVisit) {
  const queries = useQueryClient()
  const api = customerApi(visit)
  const params = { project: visit.project, deployment: visit.deployment }
  const readAgain = () => queries.invalidateQueries({ queryKey: ['portal'] })
  return {
    api,
    params,
    readAgain,
    /** Changes settings; throws what the manager throws, for the dialog to show. */
    async change(settings: Partial<CustomerSettings>, done: string) {
      await api.changeCustomerSettings({ params, body: settings })
      announce(done)
      await readAgain()
    },
  }
}

/** When a setting given here is in force, by the road that it takes. */
export const reaches = (model: string): string =>
  ({
    push: 'It holds at once.',
    pull: 'It holds as soon as the agent in your environment asks next, usually within seconds.',
    airgapped: 'It reaches your site with the next bundle that is carried in. At the agent it can be set at once.',
  })[model] ?? 'It holds as soon as it reaches your environment.'

import { fleetPlan } from '@landfall/contract'

/** What a channel begins with: everybody in one wave, the first failure stops it and brings back who was reached. */
export const defaultPlan = fleetPlan.parse({ waves: [{ name: 'all', share: 100 }] })

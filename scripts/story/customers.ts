/** Four customers, three models. The first ring measures; the second follows; a site without network is reached by bundles alone. */
export const customers = [
  { name: 'acme', model: 'push', group: 'ring-1' },
  { name: 'globex', model: 'pull', group: 'ring-1' },
  { name: 'umbrella', model: 'push', group: 'ring-2' },
  { name: 'initech', model: 'airgapped', group: 'sites' },
] as const

/** Those that a rollout reaches by itself. */
export const connected = customers.filter((customer) => customer.model !== 'airgapped')
export const site = 'initech'
export const ring = (group: string) => connected.filter((customer) => customer.group === group).map(({ name }) => name)

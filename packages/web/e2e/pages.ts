import { digestOf } from './fixture/world.ts'

const project = '/p/acme-invoices'
const traceId = digestOf('trace 3').slice(7, 39)
const deployment = `${project}/deployments`

/** A portal link, as the vendor gives it. */
export const portalLink = (name: string) => `/portal#token=lf_deployer_${name}&project=acme-invoices&deployment=${name}`

/** Every page of the dashboard and of the portal, as the fixture's world fills it. */
export const pages = [
  { name: 'sign-in', path: '/sign-in' },
  { name: 'bootstrap', path: '/bootstrap?token=lf_bootstrap_1' },
  { name: 'invitation', path: '/invitation?token=lf_invite_1' },
  { name: 'account', path: '/account' },
  { name: 'fleet', path: project },
  { name: 'fleet-filtered', path: `${project}?group=early&health=healthy` },
  { name: 'rollouts', path: `${project}/rollouts` },
  { name: 'rollout', path: `${project}/rollouts/rol_4h2k9d1x` },
  { name: 'deployment', path: `${deployment}/hooli` },
  { name: 'deployment-back', path: `${deployment}/wonka` },
  { name: 'logs', path: `${deployment}/hooli/logs` },
  { name: 'metrics', path: `${deployment}/hooli/metrics` },
  { name: 'own-metric', path: `${deployment}/hooli/metrics?metric=invoices.made` },
  { name: 'traces', path: `${deployment}/hooli/traces?trace=${traceId}` },
  { name: 'deployment-pull', path: `${deployment}/gringotts` },
  { name: 'deployment-airgapped', path: `${deployment}/nakatomi` },
  { name: 'deployment-no-agent', path: `${deployment}/initech` },
  { name: 'commands', path: `${deployment}/hooli/commands` },
  { name: 'config', path: `${deployment}/hooli/config` },
  { name: 'deployment-audit', path: `${deployment}/hooli/audit` },
  { name: 'releases', path: `${project}/releases` },
  { name: 'release', path: `${project}/releases/1.4.0` },
  { name: 'audit', path: `${project}/audit` },
  { name: 'settings', path: `${project}/settings` },
  { name: 'portal-asked', path: portalLink('gringotts') },
  { name: 'portal-windows', path: portalLink('sterling') },
  { name: 'portal-agent', path: portalLink('nakatomi') },
  { name: 'portal-calm', path: portalLink('umbra') },
  { name: 'portal-revoked-access', path: portalLink('monarch') },
  { name: 'portal-setup', path: portalLink('aperture') },
  { name: 'portal-expired', path: portalLink('expired') },
  { name: 'portal-revoked', path: portalLink('revoked') },
  { name: 'portal-without-link', path: '/portal' },
  { name: 'unknown-deployment', path: `${deployment}/nobody` },
] as const

import { customerSettings } from '@landfall/stack'
import { z } from 'zod'
import { route } from '../route.ts'
import { inDeployment, time } from '../schemas/common.ts'
import { deployment } from '../schemas/deployment.ts'
import { patchOf } from '../schemas/patch-of.ts'
import { newAnswer, portal, storedAnswer } from '../schemas/portal.ts'

const tag = 'portal'
/** The customer alone, by the link that the vendor gave: no role of the vendor's opens these. */
const customer = { tokens: ['deployer'] as const }
export const portalRoutes = {
  createPortalLink: route({
    operation: 'createPortalLink',
    method: 'POST',
    path: '/api/projects/{project}/deployments/{deployment}/portal-links',
    tag,
    summary: 'Make a link to the deployment’s portal; whoever has it speaks for the customer until it expires',
    access: { role: 'admin', tokens: ['deployer'] },
    params: inDeployment,
    body: z.strictObject({
      name: z.string().min(1).max(80).default('portal'),
      days: z.number().int().min(1).max(366).default(30),
    }),
    result: z.object({ url: z.string(), token: z.string(), expiresAt: time }),
  }),
  getPortal: route({
    operation: 'getPortal',
    method: 'GET',
    path: '/api/projects/{project}/deployments/{deployment}/portal',
    tag,
    summary: 'What runs, what is asked, what was set: the customer’s page',
    access: { role: 'viewer', ...customer },
    params: inDeployment,
    result: portal,
  }),
  answerRequest: route({
    operation: 'answerRequest',
    method: 'POST',
    path: '/api/projects/{project}/deployments/{deployment}/answers',
    tag,
    summary: 'Approve or refuse a target, by its digest',
    access: customer,
    params: inDeployment,
    body: newAnswer,
    result: storedAnswer,
  }),
  changeCustomerSettings: route({
    operation: 'changeCustomerSettings',
    method: 'PATCH',
    path: '/api/projects/{project}/deployments/{deployment}/customer',
    tag,
    summary: 'Windows, update mode, telemetry, pause, revoke and grant access',
    access: customer,
    params: inDeployment,
    body: patchOf(customerSettings),
    result: customerSettings,
  }),
  leaveVendor: route({
    operation: 'leaveVendor',
    method: 'DELETE',
    path: '/api/projects/{project}/deployments/{deployment}/customer',
    tag,
    summary: 'Leave: destroy the deployment and everything it made in the environment',
    access: customer,
    params: inDeployment,
    status: 202,
    result: deployment,
  }),
}

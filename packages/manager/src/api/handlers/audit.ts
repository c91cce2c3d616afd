import { checkpointKey } from '../../audit/checkpoint-key.ts'
import { listAudit } from '../../audit/list-audit.ts'
import { verifyChain } from '../../audit/verify-chain.ts'
import type { Handlers } from '../../http/handler.ts'
import { findProject } from '../../store/accounts/projects.ts'
import { findDeployment } from '../../store/deployments/find-deployment.ts'

export const auditHandlers = {
  listAudit: async ({ params, query }, { db }) => {
    await findProject(db, params.project)
    return listAudit(db, { project: params.project, ...query })
  },

  listDeploymentAudit: async ({ params, query }, { db }) => {
    const deployment = await findDeployment(db, params.project, params.deployment)
    return listAudit(db, { project: params.project, deployment: deployment.id, ...query })
  },

  verifyAudit: async ({ params }, { db, keyring }) => {
    const deployment = await findDeployment(db, params.project, params.deployment)
    return verifyChain(db, deployment.id, checkpointKey(keyring))
  },
} satisfies Partial<Handlers>

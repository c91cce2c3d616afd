import { LandfallError } from '@landfall/stack'
import type { Handlers } from '../../http/handler.ts'

const notYet = async (): Promise<never> => {
  throw new LandfallError({ code: 'E_INTERNAL', message: 'Being built.', hint: 'Wait for it.' })
}

export const agentHandlers = {
  enrolAgent: notYet,
  beginAgentSession: notYet,
  sync: notYet,
  getAgentRelease: notYet,
  getAgentBlob: notYet,
  getAgentKeyset: notYet,
  createAgentSetup: notYet,
  getAgent: notYet,
  createBundleOrder: notYet,
  importExport: notYet,
} satisfies Partial<Handlers>

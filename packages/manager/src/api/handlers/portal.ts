import { LandfallError } from '@landfall/stack'
import type { Handlers } from '../../http/handler.ts'

const notYet = async (): Promise<never> => {
  throw new LandfallError({ code: 'E_INTERNAL', message: 'Being built.', hint: 'Wait for it.' })
}

export const portalHandlers = {
  createPortalLink: notYet,
  getPortal: notYet,
  answerRequest: notYet,
  changeCustomerSettings: notYet,
  leaveVendor: notYet,
} satisfies Partial<Handlers>

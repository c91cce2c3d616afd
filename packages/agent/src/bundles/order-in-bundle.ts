import { orderAttachment } from '@landfall/contract'
import { LandfallError } from '@landfall/stack'

/**
 * The order that a bundle carries, as JSON that nobody has checked; null where it has none.
 *
 * @param read a blob whose bytes are verified
 * @throws LandfallError `E_ORDER_INVALID` when it is not JSON
 */
export async function orderInBundle(
  attachments: readonly { name: string; mediaType: string; digest: string }[],
  read: (digest: string) => Promise<Buffer>,
): Promise<unknown> {
  const { name, mediaType } = orderAttachment
  const found = attachments.find((attachment) => attachment.name === name && attachment.mediaType === mediaType)
  if (!found) return null
  try {
    return JSON.parse((await read(found.digest)).toString('utf8'))
  } catch (cause) {
    throw new LandfallError({
      code: 'E_ORDER_INVALID',
      message: 'The order in the bundle is refused: it is not JSON.',
      hint: 'Nothing was changed. Have the vendor make the bundle again.',
      cause,
    })
  }
}

import { LandfallError } from '@landfall/stack'

/** Another runner has claimed it since: whoever gets this stops at once, without another call to anything. */
export function staleEpoch(lease: { deployment: string; epoch: number }): LandfallError {
  return new LandfallError({
    code: 'E_STALE_EPOCH',
    message: `The lease on ${lease.deployment} with epoch ${lease.epoch} is not the current one.`,
    hint: 'Nothing was changed and nothing is to be done: the runner that holds the lease now goes on.',
  })
}

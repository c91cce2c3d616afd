import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { api } from '../../api/client.ts'
import type { AuditVerification } from '../../api/types.ts'
import { plural } from '../../format/words.ts'
import { Button } from '../../ui/button.tsx'
import { Failed, Notice } from '../../ui/feedback.tsx'
import { Time } from '../../ui/time.tsx'
import { AuditEntries } from './entries.tsx'

const route = getRouteApi('/p/$project/deployments/$deployment/audit')

/** The deployment's own chain, and the proof that nothing in it was changed. */
export function DeploymentAudit() {
  const { project, deployment } = route.useParams()
  const verify = useQuery({
    queryKey: ['verify', project, deployment],
    queryFn: ({ signal }) => api.verifyAudit({ params: { project, deployment } }, { signal }),
    enabled: false,
    refetchInterval: false,
  })
  return (
    <div className="stack wide">
      <div className="section-head" style={{ margin: 0 }}>
        <span className="muted">
          Each entry carries the hash of the one before it; checkpoints are signed and kept by the customer.
        </span>
        <Button icon="check" onPress={() => void verify.refetch()} isPending={verify.isFetching}>
          {verify.isFetching ? 'Verifying…' : 'Verify the chain'}
        </Button>
      </div>
      {verify.isError && <Failed error={verify.error} />}
      <ChainProof proof={verify.data} />
      <AuditEntries project={project} deployment={deployment} />
    </div>
  )
}

/** Whether the chain is whole, in words, and as far as which signed checkpoint. */
export function ChainProof({ proof }: { proof: AuditVerification | undefined }) {
  const checkpoint = proof?.checkpoints.at(-1)
  return (
    <div role="status">
      {proof?.ok && (
        <Notice icon="circleCheck">
          <strong>The chain is whole: {plural(proof.entries, 'entry', 'entries')} follow from each other.</strong>
          {checkpoint && (
            <span className="muted">
              The last of {plural(proof.checkpoints.length, 'checkpoint')} is at entry {checkpoint.number}, signed{' '}
              <Time at={checkpoint.at} />.
            </span>
          )}
        </Notice>
      )}
      {proof && !proof.ok && (
        <Notice tone="danger" icon="failed">
          <strong>
            The chain is broken{proof.broken ? ` at entry ${proof.broken.number}` : ''}: {proof.broken?.message}
          </strong>
          <span>
            Compare with the checkpoints that the customer holds, and keep this database as it is until that is done.
          </span>
        </Notice>
      )}
    </div>
  )
}

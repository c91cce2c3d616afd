import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { failureOf } from '../../api/failure.ts'
import { portalAudit, portalProof } from '../../api/portal.ts'
import { announce } from '../../ui/announce.tsx'
import { Button } from '../../ui/button.tsx'
import { Failed, Skeleton } from '../../ui/feedback.tsx'
import { Card } from '../../ui/page.tsx'
import { ChainProof } from '../audit/deployment-audit.tsx'
import { EntryList } from '../audit/entries.tsx'
import { exportAudit } from './export-audit.ts'
import type { PartProps } from './home.tsx'

/** What they did here: every action, its proof, and all of it as a file. */
export function PortalAudit({ visit, page }: PartProps) {
  const list = useInfiniteQuery(portalAudit(visit))
  const proof = useQuery(portalProof(visit))
  const [busy, setBusy] = useState(false)
  const save = async () => {
    setBusy(true)
    try {
      const count = await exportAudit(visit, page.deployment.name)
      announce(`The audit is saved: ${count} entries.`)
    } catch (error) {
      const failure = failureOf(error)
      announce(`${failure.message} ${failure.hint} (${failure.code})`)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Card
      title="What was done here"
      hint="each entry carries the hash of the one before it, so none can be changed unnoticed"
    >
      <div className="stack">
        {proof.isPending && <Skeleton height={44} />}
        {proof.isError && <Failed error={proof.error} again={() => void proof.refetch()} />}
        <ChainProof proof={proof.data} />
        <div className="row">
          <Button icon="check" onPress={() => void proof.refetch()} isPending={proof.isFetching}>
            {proof.isFetching ? 'Verifying…' : 'Verify again'}
          </Button>
          <Button icon="download" onPress={() => void save()} isPending={busy}>
            {busy ? 'Reading all of it…' : 'Export as JSON'}
          </Button>
        </div>
        <EntryList list={list} scope={visit.deployment} />
      </div>
    </Card>
  )
}

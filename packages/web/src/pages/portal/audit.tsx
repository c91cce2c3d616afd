import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { failureOf } from '../../api/failure.ts'
import { portalAudit, portalProof } from '../../api/portal.ts'
import { plural } from '../../format/words.ts'
import { announce } from '../../ui/announce.tsx'
import { Button } from '../../ui/button.tsx'
import { Failed, Notice, Skeleton } from '../../ui/feedback.tsx'
import { Card } from '../../ui/page.tsx'
import { ChainProof } from '../audit/deployment-audit.tsx'
import { EntryList } from '../audit/entries.tsx'
import { exportAudit } from './export-audit.ts'
import type { PartProps } from './home.tsx'
import type { Recomputed } from './recompute-chain.ts'

/** What they did here: every action, its proof, and all of it as a file. */
export function PortalAudit({ visit, page }: PartProps) {
  const list = useInfiniteQuery(portalAudit(visit))
  const proof = useQuery(portalProof(visit))
  const [busy, setBusy] = useState(false)
  const [own, setOwn] = useState<Recomputed | null>(null)
  const save = async () => {
    setBusy(true)
    try {
      setOwn(await exportAudit(visit, page.deployment.name, page.deployment.id))
      announce('The audit is saved.')
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
        <div role="status">{own && <Own found={own} />}</div>
        <EntryList list={list} scope={visit.deployment} />
      </div>
    </Card>
  )
}

/** What this browser found when it recomputed the chain itself. */
function Own({ found: { entries, broken } }: { found: Recomputed }) {
  if (!broken) {
    return (
      <Notice icon="shield">
        <strong>Recomputed in this browser: {plural(entries, 'entry', 'entries')}, unbroken.</strong>
        <span className="muted">The file that was saved holds all of it, with the checkpoints. Keep it.</span>
      </Notice>
    )
  }
  return (
    <Notice tone="danger" icon="failed">
      <strong>
        Recomputed in this browser, the chain is broken at entry {broken.number}: {broken.message}.
      </strong>
      <span>Keep the file that was saved, and compare it with what you have kept before.</span>
    </Notice>
  )
}

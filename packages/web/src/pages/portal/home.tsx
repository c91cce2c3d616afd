import type { LiveVisit } from '../../api/portal.ts'
import type { Portal } from '../../api/types.ts'
import { Notice } from '../../ui/feedback.tsx'
import { AccessButton } from './access.tsx'
import { PortalAudit } from './audit.tsx'
import { Ending } from './ending.tsx'
import { Permissions } from './permissions.tsx'
import { Requests } from './requests.tsx'
import { Running } from './running.tsx'
import { Settings } from './settings.tsx'

/** What a part of the page needs: the visit to act as, and what the page says now. */
export interface PartProps {
  visit: LiveVisit
  page: Portal
}

export function PortalHome({ visit, page }: PartProps) {
  const revoked = page.settings.access === 'revoked'
  return (
    <div className="page portal-page">
      <div className="page-head">
        <h1 className="sentence">{page.sentence}</h1>
      </div>
      {revoked && (
        <Notice tone="attention" icon="lock" actions={<AccessButton visit={visit} page={page} look="primary" />}>
          <strong>You took the access back.</strong>
          <span>{page.vendor.name} does nothing in your environment. What runs there goes on as it was.</span>
        </Notice>
      )}
      <Requests visit={visit} page={page} />
      <div className="columns side-right">
        <div className="stack wide">
          <Running page={page} />
          <Permissions page={page} />
        </div>
        <div className="stack wide">
          <Settings visit={visit} page={page} />
          <Ending visit={visit} page={page} />
        </div>
      </div>
      <PortalAudit visit={visit} page={page} />
    </div>
  )
}

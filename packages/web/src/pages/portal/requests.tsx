import { useState } from 'react'
import type { PortalRequest } from '../../api/types.ts'
import { Button } from '../../ui/button.tsx'
import { Copy, DigestText } from '../../ui/copy.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Time } from '../../ui/time.tsx'
import { Words } from '../../ui/words.tsx'
import { AnswerDialog } from './answer-dialog.tsx'
import { Difference } from './difference.tsx'
import type { PartProps } from './home.tsx'
import { SecretDialog } from './secret-dialog.tsx'
import { SetupDialog } from './setup-dialog.tsx'

type Opened = { kind: 'pass' | 'fail' | 'setup' | 'secret'; request: PortalRequest }

/** What waits for the customer, each with its difference in plain words. */
export function Requests({ visit, page }: PartProps) {
  const [opened, setOpened] = useState<Opened | null>(null)
  const close = () => setOpened(null)
  return (
    <section aria-labelledby="waits" className="stack">
      <h2 id="waits">Waits for you</h2>
      {page.requests.length === 0 ? (
        <p className="portal-quiet">
          <Icon name="circleCheck" />
          <span>Nothing. When {page.vendor.name} needs an answer of yours, it stands here.</span>
        </p>
      ) : (
        <ul className="stack">
          {page.requests.map((request) => (
            <Request
              key={`${request.gate} ${request.target}`}
              request={request}
              page={page}
              open={(kind) => setOpened({ kind, request })}
            />
          ))}
        </ul>
      )}
      {opened && (opened.kind === 'pass' || opened.kind === 'fail') && (
        <AnswerDialog visit={visit} page={page} asked={opened.request} status={opened.kind} onClose={close} />
      )}
      {opened?.kind === 'setup' && <SetupDialog visit={visit} page={page} request={opened.request} onClose={close} />}
      {opened?.kind === 'secret' && <SecretDialog visit={visit} request={opened.request} onClose={close} />}
    </section>
  )
}

function Request({
  request,
  page,
  open,
}: {
  request: PortalRequest
  page: PartProps['page']
  open: (kind: Opened['kind']) => void
}) {
  const of = request.version ?? request.gate
  return (
    <li className="card request">
      <div className="stack">
        <div className="stack tight">
          <h3>
            <Words text={request.message} />
          </h3>
          <span className="faint">
            asked <Time at={request.since} />
            {request.target && (
              <>
                {' '}
                · target <DigestText digest={request.target} />
              </>
            )}
          </span>
        </div>
        {request.kind !== 'secret' && <Difference lines={request.difference} since={page.running?.version} />}
      </div>
      {request.answerable ? (
        <div className="row request-actions">
          {request.kind === 'setup' ? (
            <Button look="primary" onPress={() => open('setup')}>
              Apply the setup of {of}…
            </Button>
          ) : request.kind === 'secret' ? (
            <Button look="primary" onPress={() => open('secret')}>
              Give {secretOf(request)}…
            </Button>
          ) : (
            <>
              <Button look="primary" icon="check" onPress={() => open('pass')}>
                Approve {of}…
              </Button>
              <Button look="danger" onPress={() => open('fail')}>
                Refuse {of}…
              </Button>
            </>
          )}
        </div>
      ) : (
        <AtTheAgent request={request} />
      )}
    </li>
  )
}

/** The secret that a request asks for: its gate names it, with or without the kind before it. */
export const secretOf = (request: PortalRequest) => request.gate.replace(/^secret[:/]/, '')

/** Where an approval counts at the agent alone: the command to give there, for exactly this target. */
function AtTheAgent({ request }: { request: PortalRequest }) {
  const command = `landfall agent approve --target ${request.target ?? ''}${request.gate === 'update' ? '' : ` --gate ${request.gate}`}`
  return (
    <div className="stack tight">
      <span className="locked">
        <Icon name="lock" size={14} />
        <span>This is answered at the agent in your environment; an answer given here would not count. Run there:</span>
      </span>
      <div className="teach">
        <code>{command}</code>
        <Copy text={command} what="command" />
      </div>
    </div>
  )
}

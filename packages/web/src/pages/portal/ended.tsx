import { useEffect } from 'react'
import type { Visit } from '../../api/visit.ts'
import { Code } from '../../ui/copy.tsx'
import { Icon } from '../../ui/icon.tsx'
import { PortalFrame } from './frame.tsx'

interface Said {
  sentence: string
  why: string
  next: string
}

/** Without a link that opens: what that means, what goes on, and whom to ask. */
export function Ended({ visit, code }: { visit: Visit | null; code: string | null }) {
  const said = saidOf(visit, code)
  useEffect(() => {
    if (!visit) document.title = 'Your portal'
  }, [visit])
  const body = (
    <div className="portal-ended">
      <Icon name={visit?.left ? 'leave' : 'lock'} size={28} />
      <h1 className="sentence">{said.sentence}</h1>
      <p className="muted">{said.why}</p>
      <p>{said.next}</p>
      {code && <Code code={code} />}
    </div>
  )
  if (!visit) {
    return (
      <main className="portal" id="content">
        {body}
      </main>
    )
  }
  return (
    <PortalFrame visit={visit} ended>
      {body}
    </PortalFrame>
  )
}

function saidOf(visit: Visit | null, code: string | null): Said {
  if (!visit) {
    return {
      sentence: 'This page opens with the link that your vendor gave you.',
      why: 'The link holds your right to speak for your environment. It is kept in the tab that opened it and nowhere else, so another tab, or a bookmark of this address, knows nothing of it.',
      next: 'Open the link again. If you no longer have it, ask your vendor for a new one.',
    }
  }
  const vendor = visit.vendor ?? `whoever runs ${visit.project}`
  if (visit.left) {
    return {
      sentence: `You have left: ${visit.deployment} is gone, and this link with it.`,
      why: 'Everything that the software made in your environment was deleted.',
      next: `If something of it is still there, ask ${vendor}, and delete what carries the name ${visit.deployment}.`,
    }
  }
  const ask = `Ask ${vendor} for a new link to ${visit.deployment}.`
  const stays = 'What runs in your environment goes on as it is, and everything you set here stays set.'
  switch (code) {
    case 'E_TOKEN_EXPIRED':
      return { sentence: 'This link has ended: its time is over.', why: stays, next: ask }
    case 'E_TOKEN_REVOKED':
      return {
        sentence: 'This link was revoked.',
        why: `Somebody at your vendor took it back, or ${visit.deployment} was destroyed. ${stays}`,
        next: `${ask} If nobody told you why, ask that too.`,
      }
    default:
      return {
        sentence: 'This link opens nothing here.',
        why: `It may have been cut off when it was copied, or belong to another address. ${stays}`,
        next: `Open it again whole, or ask ${vendor} for a new one.`,
      }
  }
}

import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { Dialog } from '../ui/dialog.tsx'

const places = {
  f: { to: '/p/$project', name: 'Fleet' },
  r: { to: '/p/$project/rollouts', name: 'Rollouts' },
  v: { to: '/p/$project/releases', name: 'Releases' },
  a: { to: '/p/$project/audit', name: 'Audit' },
  s: { to: '/p/$project/settings', name: 'Settings' },
} as const

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

/** `g` and a letter goes to a page, `/` to the search, `?` shows them all. Never while something is typed. */
export function Shortcuts({ project }: { project: string }) {
  const navigate = useNavigate()
  const [help, setHelp] = useState(false)
  useEffect(() => {
    let leader = 0
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      if (document.querySelector('[role="dialog"]')) return
      if (event.key === '?') return setHelp(true)
      if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('main input[type="search"]')
        if (search) event.preventDefault()
        search?.focus()
        return
      }
      if (event.key === 'g') {
        leader = event.timeStamp
        return
      }
      const place = places[event.key as keyof typeof places]
      if (place && event.timeStamp - leader < 1500) void navigate({ to: place.to, params: { project } })
      leader = 0
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [navigate, project])
  return (
    <Dialog title="Keyboard" open={help} onClose={() => setHelp(false)}>
      <dl className="pairs">
        {Object.entries(places).map(([key, place]) => (
          <div key={key} style={{ display: 'contents' }}>
            <dt>
              <kbd>g</kbd> <kbd>{key}</kbd>
            </dt>
            <dd>{place.name}</dd>
          </div>
        ))}
        <dt>
          <kbd>/</kbd>
        </dt>
        <dd>Search in this page</dd>
        <dt>
          <kbd>?</kbd>
        </dt>
        <dd>This help</dd>
        <dt>
          <kbd>Esc</kbd>
        </dt>
        <dd>Close</dd>
      </dl>
    </Dialog>
  )
}

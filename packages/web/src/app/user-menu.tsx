import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { api } from '../api/client.ts'
import * as q from '../api/queries.ts'
import { announce } from '../ui/announce.tsx'
import { Button, IconButton } from '../ui/button.tsx'
import { Menu } from '../ui/menu.tsx'
import { setTheme, type Theme, useTheme } from './theme.ts'

const themes = { system: 'screen', light: 'sun', dark: 'moon' } as const

/** Who is signed in, their tokens, the theme, and the way out. */
export function UserMenu({ compact = false }: { compact?: boolean }) {
  const who = useQuery(q.whoami())
  const queries = useQueryClient()
  const navigate = useNavigate()
  const theme = useTheme()
  const leave = async () => {
    try {
      await api.logout({})
    } catch {
      announce('The manager did not answer; the session ends there when it expires.')
    }
    queries.clear()
    await navigate({ to: '/sign-in', search: {} })
  }
  const name = who.data?.user?.name ?? 'Account'
  return (
    <Menu
      label="Account"
      trigger={
        compact ? (
          <IconButton icon="person" label={`Account: ${name}`} />
        ) : (
          <Button look="quiet" icon="person" className="full start">
            <span className="truncate">{name}</span>
          </Button>
        )
      }
      choices={[
        {
          id: 'account',
          label: 'Account and API tokens',
          icon: 'key',
          onAction: () => void navigate({ to: '/account' }),
        },
        ...(Object.keys(themes) as Theme[]).map((each) => ({
          id: each,
          label: `${each.charAt(0).toUpperCase()}${each.slice(1)} theme`,
          icon: themes[each],
          checked: theme === each,
          onAction: () => setTheme(each),
        })),
        { id: 'leave', label: 'Sign out', icon: 'external' as const, onAction: () => void leave() },
      ]}
    />
  )
}

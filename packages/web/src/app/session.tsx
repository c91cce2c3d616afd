import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { onSignedOut } from '../api/client.ts'
import * as q from '../api/queries.ts'
import type { Role } from '../api/types.ts'

/** Leads to the sign-in page, and back afterwards, whenever the manager says that nobody is signed in. */
export function useSignInWhenNeeded(): void {
  const navigate = useNavigate()
  useEffect(
    () =>
      onSignedOut(() => {
        if (location.pathname === '/sign-in') return
        void navigate({ to: '/sign-in', search: { to: location.pathname + location.search }, replace: true })
      }),
    [navigate],
  )
}

const rank: Record<Role, number> = { viewer: 1, developer: 2, admin: 3 }

/** Whether the person has at least this role in the project; actions that would be refused are not offered. */
export function useMay(project: string): (role: Role) => boolean {
  const who = useQuery(q.whoami())
  const list = useQuery(q.projects())
  const own = who.data?.roles[project] ?? list.data?.items.find((item) => item.name === project)?.role ?? null
  return (role) => own !== null && rank[own] >= rank[role]
}

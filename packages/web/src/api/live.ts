import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useSyncExternalStore } from 'react'
import { kindOf } from './change-kind.ts'
import { type Kind, keyOf } from './queries.ts'

export interface Connection {
  status: 'connecting' | 'live' | 'lost'
  /** Since when, in milliseconds; for `lost`, how old what is shown may be. */
  since: number
}

let connection: Connection = { status: 'connecting', since: Date.now() }
const listeners = new Set<() => void>()

function report(status: Connection['status']) {
  if (connection.status === status) return
  connection = { status, since: Date.now() }
  for (const listener of listeners) listener()
}

/** Whether the event stream of the project is up. */
export const useConnection = () =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => connection,
  )

/** What each kind of change may have touched. */
const touched: Record<string, readonly Kind[]> = {
  deployment: ['deployment', 'rollout'],
  rollout: ['rollout', 'deployment'],
  release: ['release', 'deployment', 'rollout'],
  command: ['command'],
  audit: ['audit', 'settings'],
}
/** A burst of changes is one reading again. Milliseconds. */
const coalesce = 300
const longestPause = 10_000

/**
 * Follows the project's event stream for as long as the page shows it. A change only says "read this again"; after a gap
 * everything is read again, so nothing depends on a message having arrived.
 */
export function useLive(project: string): void {
  const queries = useQueryClient()
  useEffect(() => {
    let source: EventSource | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    let flush: ReturnType<typeof setTimeout> | undefined
    let attempt = 0
    let gap = false
    const due = new Set<Kind>()

    const readAgain = () => {
      flush = undefined
      for (const kind of due) void queries.invalidateQueries({ queryKey: keyOf(project, kind) })
      due.clear()
    }
    const heard = (event: MessageEvent<string>) => {
      const kind = kindOf(event.data)
      if (kind === null) return
      if (kind === 'hello') return up()
      for (const each of touched[kind] ?? []) due.add(each)
      flush ??= setTimeout(readAgain, coalesce)
    }
    const up = () => {
      attempt = 0
      report('live')
      if (gap) void queries.invalidateQueries()
      gap = false
    }
    const open = () => {
      source = new EventSource(`/api/projects/${encodeURIComponent(project)}/changes`)
      source.onopen = up
      for (const name of ['message', 'change', 'hello', ...Object.keys(touched)]) source.addEventListener(name, heard)
      // The manager could not tell all that changed.
      source.addEventListener('reset', () => void queries.invalidateQueries())
      source.onerror = () => {
        gap = true
        report('lost')
        // The browser's own retry has a fixed rhythm and gives up on an HTTP error; ours backs off with full jitter.
        source?.close()
        clearTimeout(timer)
        timer = setTimeout(open, 250 + Math.random() * Math.min(longestPause, 500 * 2 ** attempt++))
      }
    }
    const online = () => {
      clearTimeout(timer)
      source?.close()
      attempt = 0
      open()
    }
    report('connecting')
    open()
    window.addEventListener('online', online)
    return () => {
      window.removeEventListener('online', online)
      clearTimeout(timer)
      clearTimeout(flush)
      source?.close()
    }
  }, [project, queries])
}

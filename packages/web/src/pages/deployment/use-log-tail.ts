import { useEffect, useRef, useState } from 'react'
import { api } from '../../api/client.ts'
import type { LogLine } from '../../api/types.ts'

export interface LogFilter {
  text?: string | undefined
  worker?: string | undefined
  severity?: LogLine['severity'] | undefined
}

export interface LogTail {
  lines: readonly LogLine[]
  pending: boolean
  error: unknown
  /** Whether more came than is kept. */
  missed: boolean
}

/** Lines kept in the page; the oldest are dropped. */
const kept = 2_000
const pause = 1_500
const typingPause = 250
const nothing: LogTail = { lines: [], pending: true, error: null, missed: false }

/** The newest lines that match, and, while it follows, those that come after them. */
export function useLogTail(project: string, deployment: string, filter: LogFilter, following: boolean): LogTail {
  const [tail, setTail] = useState(nothing)
  const { text, worker, severity } = filter
  const [scope, setScope] = useState({ project, deployment, text, worker, severity })
  useEffect(() => {
    const next = { project, deployment, text, worker, severity }
    const settle = (old: typeof next) => (isSame(old, next) ? old : next)
    const timer = setTimeout(() => setScope(settle), typingPause)
    return () => clearTimeout(timer)
  }, [project, deployment, text, worker, severity])
  /** Where an earlier run ended: following again goes on there, and starts nothing by itself. */
  const ended = useRef<{ scope: typeof scope; id: string } | null>(null)

  useEffect(() => {
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let cursor = ended.current?.scope === scope ? ended.current.id : undefined
    const read = async () => {
      try {
        const page = await api.getLogs(
          {
            params: { project: scope.project, deployment: scope.deployment },
            query: {
              ...(scope.text && { text: scope.text }),
              ...(scope.worker && { worker: scope.worker }),
              ...(scope.severity && { severity: scope.severity }),
              limit: 300,
              ...(cursor !== undefined && { after: cursor }),
            },
          },
          { signal: stop.signal },
        )
        const fresh = cursor === undefined
        cursor = page.next ?? page.items.at(-1)?.id ?? cursor
        setTail((old) => {
          const known = new Set(fresh ? [] : old.lines.map((line) => line.id))
          const all = [...(fresh ? [] : old.lines), ...page.items.filter((line) => !known.has(line.id))]
          return {
            lines: all.slice(-kept),
            pending: false,
            error: null,
            missed: all.length > kept || (old.missed && !fresh),
          }
        })
      } catch (error) {
        if (stop.signal.aborted) return
        setTail((old) => ({ ...old, pending: false, error }))
      }
      if (following && !stop.signal.aborted) timer = setTimeout(() => void read(), pause)
    }
    if (following || cursor === undefined) void read()
    return () => {
      stop.abort()
      clearTimeout(timer)
      if (cursor !== undefined) ended.current = { scope, id: cursor }
    }
  }, [scope, following])
  return tail
}

/** Of flat objects with the same members. */
const isSame = <T extends object>(a: T, b: T) =>
  Object.keys(a).every((key) => Reflect.get(a, key) === Reflect.get(b, key))

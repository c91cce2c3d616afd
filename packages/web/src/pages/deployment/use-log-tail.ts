import { useEffect, useState } from 'react'
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
  const [scope, setScope] = useState({ text, worker, severity })
  useEffect(() => {
    const timer = setTimeout(() => setScope({ text, worker, severity }), typingPause)
    return () => clearTimeout(timer)
  }, [text, worker, severity])
  const [after, setAfter] = useState<{ scope: typeof scope; id: string } | null>(null)

  useEffect(() => {
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let cursor = after?.scope === scope ? after.id : undefined
    const query = Object.fromEntries(Object.entries(scope).filter(([, value]) => value)) as LogFilter
    const read = async () => {
      try {
        const page = await api.getLogs(
          {
            params: { project, deployment },
            query: {
              ...(query.text && { text: query.text }),
              ...(query.worker && { worker: query.worker }),
              ...(query.severity && { severity: query.severity }),
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
      if (cursor !== undefined) setAfter({ scope, id: cursor })
    }
    // `after` is where an earlier run ended; it must not start another.
    // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  }, [project, deployment, scope, following])
  return tail
}

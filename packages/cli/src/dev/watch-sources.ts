import { watch } from 'node:fs'
import { sep } from 'node:path'

const ignored = new Set(['node_modules', '.landfall', '.git'])

/** Calls back once things have been quiet for `quietMs` after a change below the directory; returns how to stop. */
export function watchSources(directory: string, quietMs: number, changed: (path: string) => void): () => void {
  let timer: NodeJS.Timeout | null = null
  const watcher = watch(directory, { recursive: true }, (_event, path) => {
    if (!path || path.split(sep).some((part) => ignored.has(part)) || path.endsWith('~')) return
    if (timer) clearTimeout(timer)
    timer = setTimeout(() => changed(path), quietMs)
  })
  watcher.on('error', () => {})
  return () => {
    if (timer) clearTimeout(timer)
    watcher.close()
  }
}

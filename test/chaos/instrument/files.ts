import fs from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { finished, patch } from './patch.ts'
import { placeName } from './place-name.ts'
import { liveDirectory, mutation } from './trace.ts'

const named = [
  'writeFile',
  'appendFile',
  'rename',
  'rm',
  'rmdir',
  'unlink',
  'mkdir',
  'mkdtemp',
  'link',
  'symlink',
  'truncate',
  'copyFile',
  'cp',
]
/** A link is where its second path says. */
const second = new Set(['link', 'symlink', 'copyFile', 'cp'])
const through = ['write', 'writev', 'writeFile', 'appendFile', 'truncate', 'sync', 'datasync']

const whereOf = (name: string, args: unknown[]) => placeName(args[second.has(name) ? 1 : 0], liveDirectory)

/** Writes, renames, removals and syncs below the product's directories: by path, by descriptor and by file handle. */
export async function wrapFiles(): Promise<void> {
  const descriptors = new Map<number, string>()
  const handles = new WeakMap<object, string>()
  for (const name of named) {
    const wrap = (original: (...args: unknown[]) => unknown) =>
      function (this: unknown, ...args: unknown[]) {
        const where = whereOf(name, args)
        if (where === null) return original.apply(this, args)
        const done = mutation(`file ${name} ${where}`)
        return finished(original.apply(this, args), done)
      }
    patch(promises, name, wrap)
    patch(fs, `${name}Sync`, wrap)
  }
  patch(
    fs,
    'openSync',
    (original) =>
      function (...args) {
        const fd = original.apply(this, args)
        const where = placeName(args[0], liveDirectory)
        if (where !== null && args[1] !== undefined && args[1] !== 'r') descriptors.set(fd, where)
        else descriptors.delete(fd)
        return fd
      },
  )
  for (const name of ['writeSync', 'fsyncSync', 'fdatasyncSync', 'ftruncateSync']) {
    patch(
      fs,
      name,
      (original) =>
        function (...args) {
          const where = descriptors.get(args[0])
          if (where === undefined) return original.apply(this, args)
          const done = mutation(`file ${name.replace('Sync', '')} ${where}`)
          return finished(original.apply(this, args), done)
        },
    )
  }
  await wrapHandles(handles)
  patch(
    promises,
    'open',
    (original) =>
      async function (...args) {
        const where = placeName(args[0], liveDirectory)
        const writing = args[1] !== undefined && args[1] !== 'r'
        const done = where !== null && writing ? mutation(`file open ${args[1]} ${where}`) : () => {}
        const handle = await original.apply(this, args)
        if (where !== null && writing) handles.set(handle, where)
        done()
        return handle
      },
  )
  syncBuiltinESMExports()
}

async function wrapHandles(handles: WeakMap<object, string>): Promise<void> {
  const handle = await promises.open(process.execPath)
  const prototype = Object.getPrototypeOf(handle)
  await handle.close()
  for (const name of through) {
    patch(
      prototype,
      name,
      (original) =>
        function (...args) {
          const where = handles.get(this)
          if (where === undefined) return original.apply(this, args)
          const done = mutation(`file ${name} ${where}`)
          return finished(original.apply(this, args), done)
        },
    )
  }
}

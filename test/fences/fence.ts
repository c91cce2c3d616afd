import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'

/** One check that keeps two writers apart, or a late one out, and how to break it by hand. */
export interface Fence {
  /** For `--only`, unique. */
  name: string
  /** What goes wrong without it, in a line. */
  holds: string
  /** From the root of the repository. */
  file: string
  /** Occurs exactly once in the file. */
  find: string
  replace: string
  /** The tests that go red without it, from the root of the repository. */
  tests: readonly string[]
  /** Only the tests whose names contain this, to be quick. A part of a name that stands in the file as it is. */
  only?: string
}

/** The text without its fence. Throws where the fence is not there, is there more than once, or the change is none. */
export function broken(fence: Fence, text: string): string {
  const parts = text.split(fence.find)
  if (parts.length !== 2)
    throw new Error(`${fence.name}: ${fence.file} has its text ${parts.length - 1} times, not once`)
  const after = parts.join(fence.replace)
  if (after === text) throw new Error(`${fence.name}: the change changes nothing`)
  // What does not even load would be red for the wrong reason.
  if (fence.file.endsWith('.ts')) stripTypeScriptTypes(after)
  return after
}

/** What has rotted in the list, in words; nothing: all of it still fits the repository. */
export function rotten(fence: Fence, root: string): string[] {
  const wrong: string[] = []
  const check = (work: () => void) => {
    try {
      work()
    } catch (error) {
      wrong.push(error instanceof Error ? error.message : String(error))
    }
  }
  check(() => broken(fence, readFileSync(join(root, fence.file), 'utf8')))
  const named = fence.tests.map((test) => {
    let text = ''
    check(() => {
      text = readFileSync(join(root, test), 'utf8')
    })
    return text
  })
  const { only } = fence
  if (only !== undefined && !named.some((text) => text.includes(only))) {
    wrong.push(`${fence.name}: none of its files has a test "${only}"`)
  }
  return wrong
}

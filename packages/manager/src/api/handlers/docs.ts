import { readFile } from 'node:fs/promises'
import { LandfallError } from '@landfall/stack'
import type { Handlers } from '../../http/handler.ts'
import { docsPage } from '../views/docs-page.ts'

/** The pages are files of the repository, so that what people read there and here is the same. */
const docs = new URL('../../../../../docs/', import.meta.url)

export const docsHandlers = {
  errorPage: async ({ params: { code } }) => {
    // The code becomes a file's name: nothing but the form of a code gets that far.
    const text = /^E_[A-Z0-9_]+$/.test(code) ? await read(`errors/${code}.md`) : null
    if (text === null) throw noPage(code)
    return html(docsPage(text))
  },

  reasonsPage: async () => {
    const text = await read('reasons.md')
    if (text === null) throw noPage('reasons')
    return html(docsPage(text))
  },
} satisfies Partial<Handlers>

async function read(path: string): Promise<string | null> {
  try {
    return await readFile(new URL(path, docs), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

function html(page: string): Response {
  const headers = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' }
  return new Response(page, { headers })
}

function noPage(code: string): LandfallError {
  return new LandfallError({
    code: 'E_NOT_FOUND',
    message: `There is no page about ${code.slice(0, 80)} here.`,
    hint: 'Check the code. Reason codes, which do not begin with E_, are at /docs/reasons.',
  })
}

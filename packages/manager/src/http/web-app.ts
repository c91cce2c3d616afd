import { readFile, stat } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import type { Context } from 'hono'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
}

const notBuilt = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Landfall</title>
<body><main><h1>Landfall is running</h1>
<p>The dashboard has not been built here. Run <code>npm run build -w @landfall/web</code> and load this page again.</p>
<p>The API is described at <a href="/api/openapi.json">/api/openapi.json</a>; the <code>landfall</code> command works without the dashboard.</p>
</main></body></html>
`

/**
 * Serves the built web app. A path that is no file gets the app itself, which knows its own pages; a missing asset is a 404,
 * so that an old page never takes HTML for a script.
 */
export function webApp(directory: string | null): (c: Context) => Promise<Response> {
  return async (c) => {
    if (directory === null) return page(notBuilt, 200)
    const file = await fileOf(directory, c.req.path)
    if (file) {
      const asset = c.req.path.startsWith('/assets/')
      return new Response(await readFile(file), {
        headers: {
          'content-type': types[extname(file)] ?? 'application/octet-stream',
          // Names in assets/ carry a hash of their content.
          'cache-control': asset ? 'public, max-age=31536000, immutable' : 'no-cache',
        },
      })
    }
    if (extname(c.req.path) !== '' && !c.req.header('accept')?.includes('text/html')) return page('Not found\n', 404)
    const index = await readFile(join(directory, 'index.html'), 'utf8').catch(() => null)
    return index === null ? page(notBuilt, 200) : page(index, 200)
  }
}

async function fileOf(directory: string, path: string): Promise<string | null> {
  let decoded: string
  try {
    decoded = decodeURIComponent(path)
  } catch {
    return null
  }
  const file = normalize(join(directory, decoded))
  if (!file.startsWith(normalize(directory) + sep) || decoded.includes('\0')) return null
  const info = await stat(file).catch(() => null)
  return info?.isFile() ? file : null
}

function page(html: string, status: number): Response {
  return new Response(html, {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' },
  })
}

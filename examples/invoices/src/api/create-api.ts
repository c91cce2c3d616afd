import { registerCommands } from '../work/commands.ts'
import { notFound, problem } from './answers.ts'
import { maxBodyBytes } from './read-upload.ts'
import { type Route, routes } from './routes.ts'

/** Something around every request. */
export type Middleware = (request: Request, next: () => Promise<Response>) => Promise<Response>

export interface Api {
  fetch(request: Request): Promise<Response>
  maxBodyBytes: number
}

/** The API of a release: the common routes, what this release adds, and what it does around each request. */
export function createApi(options: { routes?: readonly Route[]; around?: Middleware } = {}): Api {
  registerCommands()
  const all = [...routes, ...(options.routes ?? [])]
  const around: Middleware = options.around ?? ((_, next) => next())
  return {
    // Room for the boundaries of a form around a file of the largest size.
    maxBodyBytes: maxBodyBytes + 64 * 1024,
    async fetch(request) {
      const { pathname } = new URL(request.url)
      if (pathname === '/healthz') return new Response('ok\n')
      return around(request, () => dispatch(all, request, pathname))
    },
  }
}

async function dispatch(all: readonly Route[], request: Request, pathname: string): Promise<Response> {
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const matching = all.filter((route) => route.path.test(pathname))
  const route = matching.find((one) => one.method === method)
  if (!route) return matching.length > 0 ? problem(405, `${method} is not possible here`) : notFound()
  const [, ...groups] = route.path.exec(pathname) ?? []
  return route.handle(request, ...groups)
}

/** A worker that is built on the runtime, as a vendor writes it. It runs from the sources: the bundler is not the subject. */
export const vendor = `
import { log, start } from ${JSON.stringify(import.meta.resolve('@landfall/runtime'))}
async function fetch(request) {
  const { pathname } = new URL(request.url)
  if (pathname === '/env') return Response.json(process.env)
  if (pathname === '/hang') await new Promise(() => {})
  if (pathname === '/log') {
    log.warn('by the runtime', { count: 3, deep: { list: [true] }, level: 'mine' })
    console.log('by the console')
    console.log(JSON.stringify({ level: 30, time: Date.now(), msg: 'by another logger' }))
    console.error('on standard error')
  }
  if (pathname === '/last-words') {
    log.error('the end', { error: new Error('as asked') })
    process.kill(process.pid, 'SIGKILL')
  }
  return new Response('ok', { status: pathname === '/' ? 200 : 404 })
}
start({ default: { fetch } })
`

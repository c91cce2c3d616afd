import { command, log, onMessage, queue, storage } from '@landfall/runtime'

const notes = storage('notes')

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/') return Response.json({ hello: 'project-name' })
    if (request.method === 'PUT' && pathname.startsWith('/notes/')) {
      const key = pathname.slice('/notes/'.length)
      await notes.put(key, await request.text())
      await queue('jobs').send({ key })
      return new Response(null, { status: 204 })
    }
    return new Response('Not found', { status: 404 })
  },
}

onMessage('jobs', async (message) => {
  log.info('a note was written', { message: message.id })
})

command('count', async () => {
  let count = 0
  for await (const _ of notes.list()) count++
  return { notes: count }
})

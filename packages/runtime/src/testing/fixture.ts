// A worker as a vendor writes it, for the tests: they run it as a real process.
import { metrics } from '@opentelemetry/api'
import { command, log, onCron, onMessage, onStorage, start } from '../index.ts'

const seen = metrics.getMeter('vendor').createCounter('vendor.messages')

onMessage('jobs', async (message, { signal }) => {
  if (message.text() === '"fail"') throw new Error('as asked')
  if (message.text() === '"hang"')
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  seen.add(1, { attempt: message.attempt })
})
onCron('0 6 * * *', (event) => log.info('cron', { at: event.scheduledAt.toISOString() }))
onStorage('uploads', { event: 'created', prefix: 'in/' }, (event) => log.info('stored', { key: event.key }))
command(
  'echo',
  { input: { type: 'object', required: ['say'], properties: { say: { type: 'string' } } } },
  async (input, context) => {
    await context.write('one\n')
    await context.write('two\n')
    return { input, id: context.id, attempt: context.attempt }
  },
)
command('flood', async (_input, { write }) => {
  for (;;) await write('x'.repeat(100_000))
})
command('endless', () => new Promise(() => {}))

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function fetch(request: Request): Promise<Response> {
  const url = new URL(request.url)
  switch (url.pathname) {
    case '/hello':
      log.info('hello', { who: url.searchParams.get('who') })
      return new Response(`hello ${url.searchParams.get('who')}`, {
        headers: { 'x-version': process.env.LANDFALL_VERSION ?? '' },
      })
    case '/echo':
      return new Response(request.body, { headers: { 'content-type': request.headers.get('content-type') ?? '' } })
    case '/cookies': {
      const headers = new Headers([
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ])
      return new Response(null, { status: 204, headers })
    }
    case '/slow':
      await sleep(Number(url.searchParams.get('ms')))
      return new Response('slow')
    case '/throw':
      throw new Error('the password is hunter2')
    case '/events': {
      const stream = new ReadableStream({
        async start(controller) {
          controller.enqueue(new TextEncoder().encode('data: 1\n\n'))
          await new Promise((resolve) => request.signal.addEventListener('abort', resolve))
          log.info('events stopped')
        },
      })
      return new Response(stream, { headers: { 'content-type': 'text/event-stream' } })
    }
    case '/breaks':
      return new Response(
        new ReadableStream({
          async pull(controller) {
            controller.enqueue(new TextEncoder().encode('half'))
            await sleep(10)
            controller.error(new Error('broken'))
          },
        }),
      )
    case '/crash':
      setTimeout(() => {
        throw new Error('nobody catches this')
      })
      return new Response('going')
    default:
      return new Response('nothing here', { status: 404 })
  }
}

const { port } = await start({ default: { fetch, maxBodyBytes: 1_000_000 } })
process.stdout.write(`listening ${port}\n`)

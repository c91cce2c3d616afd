import { command } from '@landfall/runtime'

const goOn = Promise.withResolvers<void>()

export default {
  fetch(request: Request): Response {
    if (new URL(request.url).pathname === '/go-on') goOn.resolve()
    return Response.json({ greeting: process.env.GREETING })
  },
}

command('count', async (input, { write }) => {
  const { to } = input as { to: number }
  await write('one\n')
  await goOn.promise
  for (let number = 2; number <= to; number++) await write(`${number}\n`)
  return { counted: to }
})

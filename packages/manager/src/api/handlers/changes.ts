import { eventStream } from '../../changes/event-stream.ts'
import type { Handlers } from '../../http/handler.ts'
import { findProject } from '../../store/accounts/projects.ts'

export const changeHandlers = {
  changes: async ({ params, headers, signal }, { db, clock, control }) => {
    await findProject(db, params.project)
    const stream = eventStream(control.changes, {
      project: params.project,
      lastEventId: headers.get('last-event-id'),
      clock,
      signal,
    })
    return new Response(stream, {
      headers: {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // nginx gathers answers otherwise.
        'x-accel-buffering': 'no',
      },
    })
  },
} satisfies Partial<Handlers>

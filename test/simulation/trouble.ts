import type { Entry } from './script.ts'
import type { World } from './world.ts'

/** How long after its end something may still be felt: a lease that runs out, a back-off, a probe. Milliseconds. */
const echo = 75_000

/** Tells what measures how fast things are done from when to when an entry of the script is in the way. */
export function noteTrouble({ watch, scheduler }: World, entry: Entry): void {
  const { now } = scheduler
  const { promptness } = watch
  switch (entry.kind) {
    case 'kill':
      promptness.trouble(now + 2 * entry.downMs + echo)
      break
    case 'stop':
    case 'database':
    case 'deaf':
      promptness.trouble(now + entry.ms + echo)
      break
    case 'clock':
      promptness.trouble(Number.MAX_VALUE)
      break
    case 'platform':
    case 'network':
      promptness.trouble(now + entry.ms + echo, entry.on)
      break
    case 'instances':
    case 'revoke':
    case 'grant':
      promptness.trouble(now + echo, entry.on)
  }
}

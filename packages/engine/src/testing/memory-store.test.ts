import { MemoryStore } from './memory-store.ts'
import { SimClock } from './sim-clock.ts'
import { storeConformance } from './store-conformance.ts'

storeConformance('the store in memory', async () => {
  const clock = new SimClock()
  const store = new MemoryStore(clock)
  return {
    store,
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    put: (desired) => store.put(desired),
    state: (deployment) => store.state(deployment),
    events: (deployment) => store.events(deployment).map((event) => event.message),
  }
})

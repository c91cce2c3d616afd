import { useQueryClient } from '@tanstack/react-query'
import { failureOf } from '../../api/failure.ts'
import { announce } from '../../ui/announce.tsx'

/** Does something at once, says how it went, and reads again. For what needs no question before it. */
export function useAct() {
  const queries = useQueryClient()
  return async (action: () => Promise<unknown>, done: string) => {
    try {
      await action()
      announce(done)
    } catch (error) {
      const failure = failureOf(error)
      announce(`${failure.message} ${failure.hint} (${failure.code})`)
    }
    await queries.invalidateQueries()
  }
}

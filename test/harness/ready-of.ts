/** What a manager says of itself: its two statuses (0: nothing within five seconds), and the code it gives for not being ready. */
export async function readyOf(url: string): Promise<{ health: number; ready: number; code: string | null }> {
  const ask = (path: string) => fetch(`${url}${path}`, { signal: AbortSignal.timeout(5_000) }).catch(() => null)
  const [health, ready] = await Promise.all([ask('/health'), ask('/ready')])
  const document = (await ready?.json().catch(() => null)) as { code?: string } | null
  return { health: health?.status ?? 0, ready: ready?.status ?? 0, code: document?.code ?? null }
}

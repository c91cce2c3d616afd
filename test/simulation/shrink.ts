/**
 * Delta debugging (Zeller and Hildebrandt, 2002): the shortest list found that still fails, by leaving out parts of it, halves first and
 * single entries last. `fails` is asked at most `budget` times.
 */
export async function shrink<T>(
  entries: readonly T[],
  fails: (entries: readonly T[]) => Promise<boolean>,
  budget = 250,
): Promise<readonly T[]> {
  let kept = entries
  let parts = 2
  let asked = 0
  while (kept.length > 0 && asked < budget) {
    const size = Math.ceil(kept.length / parts)
    let smaller: readonly T[] | null = null
    for (let from = 0; from < kept.length && asked < budget && smaller === null; from += size) {
      const without = [...kept.slice(0, from), ...kept.slice(from + size)]
      asked += 1
      if (await fails(without)) smaller = without
    }
    if (smaller) {
      kept = smaller
      parts = Math.max(2, parts - 1)
    } else if (size === 1) break
    else parts = Math.min(kept.length, parts * 2)
  }
  return kept
}

/** The benchmarks of `npm run bench`, and the smallest sizes that still run all of each. */
export const benches: readonly { file: string; smallest: readonly string[] }[] = [
  { file: 'sync-polls.ts', smallest: ['3', '0.2', '1'] },
  { file: 'waiting-agents.ts', smallest: ['20'] },
  { file: 'retarget.ts', smallest: ['20'] },
  { file: 'pull-latency.ts', smallest: ['2'] },
  { file: 'rows-per-update.ts', smallest: ['1'] },
  { file: 'verdicts.ts', smallest: ['10'] },
]

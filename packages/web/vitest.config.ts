import { defineConfig } from 'vitest/config'

/** The browser tests: `npm run e2e -w @landfall/web`. One file at a time, because each has a browser of its own. */
export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ['e2e/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 1,
    fileParallelism: false,
    pool: 'forks',
  },
})

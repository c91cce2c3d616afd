import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['packages/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts', 'examples/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'packages/web/e2e/**'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Two cores are what CI has: more workers make the real databases and processes slow, not the suite fast.
    maxWorkers: 2,
    pool: 'forks',
  },
})

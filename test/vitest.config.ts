import { defineConfig } from 'vitest/config'

/** The tests run against the compiled product in dist, which `npm test` builds first: what is tested is what ships. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    globalSetup: ['support/current-dist.ts'],
    pool: 'forks',
    // More than the two cores that CI has: many tests wait for a lock or a process.
    maxWorkers: 4,
    // Of `test.concurrent`: each of these runs services of its own.
    maxConcurrency: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default'],
  },
})

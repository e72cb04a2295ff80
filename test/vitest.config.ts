import { fileURLToPath } from 'node:url'
import { defineConfig, defineProject } from 'vitest/config'
import { CI_ONLY, UNIT } from './tiers.js'

const SOURCE = fileURLToPath(new URL('../src/', import.meta.url))

/** Never what is tested: on a machine that does other things too a test takes as long as it takes. */
const TIME_LIMIT = 120_000

const common = {
  root: import.meta.dirname,
  pool: 'forks',
  testTimeout: TIME_LIMIT,
  hookTimeout: TIME_LIMIT,
  expect: { poll: { timeout: TIME_LIMIT / 2, interval: 20 } },
  // Files of one worker share their modules: to read the product anew for each took as long as most of them.
  isolate: false,
} as const

const compiled = {
  ...common,
  globalSetup: [fileURLToPath(new URL('support/current-dist.ts', import.meta.url))],
  setupFiles: [fileURLToPath(new URL('support/close-pools.ts', import.meta.url))],
  // Node reads what is compiled: nothing has to be done to it.
  server: { deps: { external: [/\/dist\//] } },
}

export default defineConfig({
  test: {
    // More than the two cores that CI has: many tests wait for a lock or a process.
    maxWorkers: 4,
    // Of `test.concurrent`: each of these runs services of its own.
    maxConcurrency: 4,
    projects: [
      defineProject({
        resolve: { alias: [{ find: /^#campaignd\/(.*)\.js$/, replacement: `${SOURCE}$1.ts` }] },
        test: { ...common, name: 'unit', include: [...UNIT] },
      }),
      defineProject({
        test: { ...compiled, name: 'service', include: ['**/*.test.ts'], exclude: [...UNIT, ...CI_ONLY] },
      }),
      defineProject({ test: { ...compiled, name: 'ci', include: [...CI_ONLY] } }),
    ],
  },
})

/** Only in `.ci/run`, since they take long or need much of the processor. */
export const CI_ONLY: readonly string[] = [
  'dashboard/docs.test.ts',
  'dashboard/live.test.ts',
  'dashboard/speed.test.ts',
  'e2e/demo.test.ts',
  'e2e/schemathesis.test.ts',
  'e2e/start.test.ts',
  'e2e/stop-in-long-work.test.ts',
  'e2e/worker-loops.test.ts',
  'faults/model/model.test.ts',
  'faults/**/mutations.test.ts',
]

/** Run from the source: no process, no thread, no socket, no disk but the temporary directory. */
export const UNIT: readonly string[] = [
  'auth/**/*.test.ts',
  'bench/**/*.test.ts',
  'config/*.test.ts',
  'dashboard/failure-groups.test.ts',
  'dashboard/time-scale.test.ts',
  'dependencies.test.ts',
  'structure.test.ts',
  'domain/**/*.test.ts',
  'faults/history/*.test.ts',
  'faults/model/campaign/*.test.ts',
  'faults/power-loss/*.test.ts',
  'http/connections/unsent-bytes.test.ts',
  'http/replies/page-cache.test.ts',
  'live/**/*.test.ts',
  'node-version.test.ts',
  'runtime/*.test.ts',
  'repository/file/leases/*.test.ts',
  'repository/group-commit/*.test.ts',
  'repository/file/encoding/*.test.ts',
  'repository/file/commit/durable-file.test.ts',
]

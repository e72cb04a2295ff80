import type { CommitReport } from '../../commit-report.ts'
import type { CommitThreads } from './commit-threads.ts'
import type { FileChange, FileOutcome, JobReport } from './file-job.ts'
import { isForLackOfRoom } from './system-error.ts'

/** Runs a change of a file that answers so many calls, and reports how it went. */
export async function runReported(
  {
    threads,
    onCommit,
  }: { readonly threads: Pick<CommitThreads, 'run'>; readonly onCommit: (report: CommitReport) => void },
  change: FileChange,
  calls = 1,
): Promise<JobReport> {
  const began = performance.now()
  const report = await threads.run(change)
  const seconds = (performance.now() - began) / 1000
  onCommit({ outcome: nameOf(report.outcome), seconds, calls, bytes: bytesOf(change) })
  return report
}

function nameOf(outcome: FileOutcome): CommitReport['outcome'] {
  switch (outcome.kind) {
    case 'done':
      return 'durable'
    case 'lock-lost':
      return 'lock_lost'
    case 'unknown':
      return 'unknown'
    case 'stopped':
      return 'failed'
    case 'refused':
      if (!('errno' in outcome)) return 'refused'
      return isForLackOfRoom(outcome.errno) ? 'full' : 'failed'
  }
}

function bytesOf(change: FileChange): number {
  return 'parts' in change ? change.parts.reduce((sum, { length }) => sum + length, 0) : 0
}

import { CommitThread } from './commit-thread.ts'
import type { CommitWorkerData } from './commit-worker.ts'
import type { FileJob, JobReport } from './file-job.ts'

/** While one waits for the disk another works. */
const THREADS = 3

/** The threads that write. Each carries out jobs on its own, so there must be only one at a time for a file. */
export class CommitThreads {
  private constructor(
    private readonly threads: readonly CommitThread[],
    private readonly stopped: Int32Array,
  ) {}

  /**
   * @param onDeath one ended by itself: what it was doing has an unknown outcome
   * @throws the system's error when one cannot open the directory; then none is left running
   */
  static async start(
    data: Omit<CommitWorkerData, 'stopped'>,
    onDeath: (reason: Error) => void,
  ): Promise<CommitThreads> {
    const stopped = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
    const starts = Array.from({ length: THREADS }, () => CommitThread.start({ ...data, stopped }, onDeath))
    try {
      return new CommitThreads(await Promise.all(starts), stopped)
    } catch (error) {
      const started = (await Promise.allSettled(starts)).filter((start) => start.status === 'fulfilled')
      await Promise.all(started.map(({ value }) => value.close()))
      throw error
    }
  }

  /** In the thread with the fewest jobs. */
  run(job: FileJob): Promise<JobReport> {
    const [first, ...others] = this.threads
    if (first === undefined) throw new Error('there are no threads')
    return others.reduce((best, thread) => (thread.load < best.load ? thread : best), first).run(job)
  }

  /** Ends all writing: what waits is not begun any more. */
  stop(): void {
    Atomics.store(this.stopped, 0, 1)
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.close()))
  }
}

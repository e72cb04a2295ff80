import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { CommitReply, CommitRequest, CommitWorkerData } from './commit-worker.ts'
import type { FileJob, JobReport } from './file-job.ts'

/** Runs file jobs in a thread of its own: through the thread pool each system call would be a hop. Jobs that wait run together. */
export class CommitThread {
  private readonly waiting = new Map<number, (report: JobReport) => void>()
  private lastId = 0
  private closing = false
  /** Why it does no more jobs. */
  private dead: string | null = null

  private constructor(
    private readonly worker: Worker,
    stopped: Int32Array,
    onDeath: (reason: Error) => void,
  ) {
    worker.on('message', ({ id, report }: CommitReply) => {
      const resolve = this.waiting.get(id)
      this.waiting.delete(id)
      resolve?.(report)
    })
    const die = (reason: Error) => {
      if (this.dead !== null || this.closing) return
      this.dead = `the commit thread ended: ${reason.message}`
      Atomics.store(stopped, 0, 1)
      onDeath(new Error(this.dead))
      this.endAll(this.dead)
    }
    worker.on('error', die)
    worker.on('exit', (code) => {
      die(new Error(`code ${code}`))
    })
  }

  /**
   * Resolves when it can write: a thread is `online` before it has opened the directory.
   * @param onDeath the thread ended by itself: what it was doing has an unknown outcome, and no other thread writes any more
   * @throws the system's error when it cannot open the directory
   */
  static async start(data: CommitWorkerData, onDeath: (reason: Error) => void): Promise<CommitThread> {
    const worker = new Worker(new URL('./commit-worker.js', import.meta.url), { workerData: data })
    await once(worker, 'message')
    return new CommitThread(worker, data.stopped, onDeath)
  }

  run(job: FileJob): Promise<JobReport> {
    const { dead } = this
    if (dead !== null) return Promise.resolve(unknown(dead))
    this.lastId += 1
    const request: CommitRequest = { id: this.lastId, job }
    return new Promise((resolve) => {
      this.waiting.set(request.id, resolve)
      this.worker.postMessage(request)
    })
  }

  /** How many jobs it has not done yet. */
  get load(): number {
    return this.waiting.size
  }

  async close(): Promise<void> {
    this.closing = true
    this.dead ??= 'the store is closed'
    await this.worker.terminate()
    this.endAll(this.dead)
  }

  private endAll(detail: string): void {
    for (const resolve of this.waiting.values()) resolve(unknown(detail))
    this.waiting.clear()
  }
}

function unknown(detail: string): JobReport {
  return { outcome: { kind: 'unknown', detail }, milliseconds: 0 }
}

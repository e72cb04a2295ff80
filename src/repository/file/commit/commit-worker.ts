import * as fs from 'node:fs'
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { LockIdentity } from '../lock/lock-identity.ts'
import { type DurableDirectory, isEnd, runJobs } from './durable-file.ts'
import type { FileJob, FileOutcome, JobReport } from './file-job.ts'
import { Leftovers } from './leftovers.ts'

/** A thread that writes: it runs all the jobs that wait together, and blocks on the disk so that the event loop need not. */

export interface CommitWorkerData {
  readonly directory: string
  readonly flush: boolean
  readonly trash: string
  readonly lockPath: string
  readonly lock: LockIdentity
  /** One number that all threads share: 1 once all writing has ended. */
  readonly stopped: Int32Array
}

export interface CommitRequest {
  readonly id: number
  readonly job: FileJob
}

export interface CommitReply {
  readonly id: number
  readonly report: JobReport
}

const { directory, stopped, ...options } = workerData as CommitWorkerData
// Opened once: where descriptors run out, the flush after a rename must not be what fails.
const target: DurableDirectory = {
  ...{ fs, descriptor: fs.openSync(directory, 'r'), ...options },
  leftovers: new Leftovers(),
  isStopped: () => Atomics.load(stopped, 0) === 1,
}

/** Most jobs for one flush of the directory: with more the first would wait for too many others. */
const ROUND = 64
/** Milliseconds between two tries to remove what could not be removed. */
const REMOVE_AGAIN = 1000

parentPort?.on('message', (first: CommitRequest) => {
  const requests = [first, ...waitingOn(parentPort as MessagePort)]
  const began = performance.now()
  const { outcomes, clearAway } = runJobs(
    target,
    requests.map(({ job }) => job),
  )
  const milliseconds = (performance.now() - began) / requests.length
  if (outcomes.some(isEnd)) Atomics.store(stopped, 0, 1)
  for (const [index, { id }] of requests.entries()) {
    const reply: CommitReply = { id, report: { outcome: outcomes[index] as FileOutcome, milliseconds } }
    parentPort?.postMessage(reply)
  }
  clearAway()
  scheduleRemoval()
})

let removal: NodeJS.Timeout | null = null

/** Of what could not be removed: by a timer, since no other job may come to this thread. */
function scheduleRemoval(): void {
  if (target.leftovers.isEmpty || target.isStopped()) return
  removal ??= setTimeout(() => {
    removal = null
    if (!target.isStopped()) target.leftovers.removeAgain(fs)
    scheduleRemoval()
  }, REMOVE_AGAIN).unref()
}

// The first message: it is ready.
parentPort?.postMessage('ready')

function waitingOn(port: MessagePort): CommitRequest[] {
  const requests: CommitRequest[] = []
  while (requests.length < ROUND - 1) {
    const received = receiveMessageOnPort(port) as { readonly message: CommitRequest } | undefined
    if (received === undefined) break
    requests.push(received.message)
  }
  return requests
}

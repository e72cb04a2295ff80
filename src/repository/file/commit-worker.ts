import * as fs from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { carryOut, type DurableDirectory, type FileJob, type FileOutcome } from './durable-file.ts'
import type { LockIdentity } from './lock-identity.ts'

/** The thread that writes: takes one job after the other, and waits for the disk so that the event loop need not. */

export interface CommitWorkerData {
  readonly directory: string
  readonly flush: boolean
  readonly leaving: string
  readonly lockPath: string
  readonly lock: LockIdentity
}

export interface CommitRequest {
  readonly id: number
  readonly job: FileJob
}

export interface CommitReply {
  readonly id: number
  readonly outcome: FileOutcome
}

const { directory, ...options } = workerData as CommitWorkerData
// Opened once: where descriptors run out, the flush after a rename must not be what fails.
const target: DurableDirectory = { fs, descriptor: fs.openSync(directory, 'r'), ...options }

/** What ended all writing: after it the disk is not touched any more, whatever still waits here. */
let over: FileOutcome | null = null

parentPort?.on('message', ({ id, job }: CommitRequest) => {
  const outcome = over ?? carryOut(target, job)
  if (outcome.kind === 'unknown' || outcome.kind === 'lock-lost') over = { kind: 'lock-lost' }
  const reply: CommitReply = { id, outcome }
  parentPort?.postMessage(reply)
})

import type { Experiment } from '../experiment/experiment.ts'

/** What is known of one experiment or of a range of them: enough to skip it when something to claim is searched for. */
export interface Claimable {
  readonly pending: boolean
  /** The least retry_count of failed ones; `NEVER` when none failed. */
  readonly failed: number
  /** The same of running ones. */
  readonly running: number
}

export type IsWanted = (claimable: Claimable) => boolean

/** More than any setting allows, and small enough for V8 to keep it without an object. */
const NEVER = 2 ** 30

const NOTHING: Claimable = { pending: false, failed: NEVER, running: NEVER }
const PENDING: Claimable = { pending: true, failed: NEVER, running: NEVER }

/** Shared by all experiments that were retried as often, as nearly all are. */
const FAILED = Array.from({ length: 32 }, (_, retries) => failedAfter(retries))
const RUNNING = Array.from({ length: 32 }, (_, retries) => runningAfter(retries))

export function claimableOf({ status, retry_count }: Experiment): Claimable {
  if (status === 'pending') return PENDING
  if (status === 'failed') return FAILED[retry_count] ?? failedAfter(retry_count)
  return status === 'running' ? (RUNNING[retry_count] ?? runningAfter(retry_count)) : NOTHING
}

export function claimableIn(parts: readonly Claimable[]): Claimable {
  let { pending, failed, running } = NOTHING
  for (const part of parts) {
    if (part.pending) pending = true
    if (part.failed < failed) failed = part.failed
    if (part.running < running) running = part.running
  }
  return { pending, failed, running }
}

export function isAlike(a: Claimable, b: Claimable): boolean {
  return a.pending === b.pending && a.failed === b.failed && a.running === b.running
}

export function isPending({ pending }: Claimable): boolean {
  return pending
}

/** Failed, with retries left. */
export function failedBelow(maxRetries: number): IsWanted {
  return ({ failed }) => failed < maxRetries
}

/** Running, with retries left if it fails. */
export function runningBelow(maxRetries: number): IsWanted {
  return ({ running }) => running < maxRetries
}

function failedAfter(retries: number): Claimable {
  return { pending: false, failed: Math.min(retries, NEVER), running: NEVER }
}

function runningAfter(retries: number): Claimable {
  return { pending: false, failed: NEVER, running: Math.min(retries, NEVER) }
}

import type * as nodeFs from 'node:fs'
import { basename, join } from 'node:path'
import { isLock, type LockIdentity } from '../lock/lock-identity.ts'
import { type FileIdentity, identityOf, isSame } from './file-identity.ts'
import type { FileChange, FileJob, FileOutcome } from './file-job.ts'
import { probeDisk } from './probe-file.ts'
import { closeQuietly, flushTemp, openToRead, type TempDirectory, writeTemp } from './temp-file.ts'

export interface DurableDirectory extends TempDirectory {
  /** An open descriptor of the directory that holds the files. */
  readonly descriptor: number
  /** False leaves out the flushes: what is done then survives a crash of the process, not of the machine. */
  readonly flush: boolean
  /**
   * A directory of this process, which a successor removes before it reads: what is deleted or moved goes through it, so that a
   * process that was stopped between its last check of the lock and its change fails, and leaves its successor's file alone.
   */
  readonly trash: string
  readonly lockPath: string
  readonly lock: LockIdentity
  /** Whether a job ended all writing, also one of another thread. */
  readonly isStopped: () => boolean
}

type Write = FileChange & { readonly kind: 'create' | 'replace' }

/** How far a job has come. The steps pass over those that have an outcome. */
interface Progress {
  readonly job: FileJob
  outcome: FileOutcome | null
  /** The new file, written and not yet flushed. */
  descriptor: number | null
  /** Of the new file, once it is flushed. */
  identity: FileIdentity | null
  /** The file that had the name before, kept open. */
  replaced: number | null
}

/** How jobs ended, and what is left to do once that was reported. */
export interface JobRun {
  readonly outcomes: readonly FileOutcome[]
  /** Frees the room of the files that are gone, for which no caller has to wait. */
  readonly clearAway: () => void
}

/**
 * Carries out jobs on different files, each durably and all or nothing, step by step together: of those that come at the same
 * moment the first flush takes most of the others along, and one flush of the directory is for all. Synchronous on purpose: it
 * runs in a thread of its own, where it blocks nothing, and where the flushes cannot starve the refresh of the lock in the
 * thread pool.
 */
export function runJobs(directory: DurableDirectory, jobs: readonly FileJob[]): JobRun {
  if (directory.isStopped()) return { outcomes: jobs.map(() => STOPPED), clearAway: () => undefined }
  const startEarly = directory.flush && jobs.length > 1
  const all = jobs.map((job) => write(directory, job, startEarly))
  for (const one of all) one.outcome ??= flush(directory, one)
  for (const one of all) {
    const { job } = one
    if (job.kind === 'flush' || job.kind === 'probe') continue
    one.outcome ??= isOver(directory, all) ? giveUp(directory, job) : rename(directory, one, job)
  }
  const done = all.filter(({ outcome }) => outcome === null)
  const doubt = done.length === 0 ? null : flushNames(directory)
  const outcomes = all.map(({ outcome, identity }) => outcome ?? doubt ?? ({ kind: 'done', identity } as const))
  return {
    outcomes,
    clearAway: () => {
      for (const one of done) clearAway(directory, one, doubt === null)
    },
  }
}

/** What ends all writing: after it the disk is not to be touched any more. */
export function isEnd({ kind }: FileOutcome): boolean {
  return kind === 'unknown' || kind === 'lock-lost' || kind === 'stopped'
}

const DONE: FileOutcome = { kind: 'done', identity: null }
const STOPPED: FileOutcome = { kind: 'stopped' }

function isOver(directory: DurableDirectory, all: readonly Progress[]): boolean {
  return directory.isStopped() || all.some(({ outcome }) => outcome !== null && isEnd(outcome))
}

function write(directory: DurableDirectory, job: FileJob, startEarly: boolean): Progress {
  const one: Progress = { job, outcome: null, descriptor: null, identity: null, replaced: null }
  if (!isWrite(job)) return one
  try {
    one.descriptor = writeTemp(directory, job.temp, job.parts, startEarly)
  } catch (error) {
    one.outcome = failure(error)
  }
  return one
}

function flush(directory: DurableDirectory, one: Progress): FileOutcome | null {
  const { job, descriptor } = one
  const { fs, flush: isAsked } = directory
  try {
    if (job.kind === 'probe') probeDisk(directory, job.temp, isAsked)
    // Neither has a name that the flush of the directory would make durable.
    if (job.kind === 'probe' || (job.kind === 'flush' && job.paths.length === 0)) return DONE
    if (job.kind === 'flush') return isAsked ? flushFiles(fs, job.paths) : null
    if (descriptor !== null && isWrite(job)) one.identity = flushTemp(directory, job.temp, descriptor, isAsked)
    return null
  } catch (error) {
    return failure(error)
  }
}

/** Stops at the first that fails. */
function flushFiles(fs: typeof nodeFs, paths: readonly string[]): FileOutcome | null {
  for (const path of paths) {
    const descriptor = openToRead(fs, path)
    try {
      fs.fsyncSync(descriptor)
    } catch (error) {
      return { ...failure(error), because: 'unflushed', path }
    } finally {
      closeQuietly(fs, descriptor)
    }
  }
  return null
}

/** The step that makes a change visible, after its checks: the directory still ours and the file the one we left. */
function rename(directory: DurableDirectory, one: Progress, job: FileChange): FileOutcome | null {
  if (job.kind === 'replace') one.replaced = openOld(directory, job.path)
  const outcome = tryRename(directory, job)
  if (outcome === null) return null
  closeQuietly(directory.fs, one.replaced)
  if (isWrite(job) && outcome.kind !== 'unknown') directory.leftovers.remove(directory.fs, job.temp)
  return outcome
}

/** Null when it cannot be opened: then the rename frees its room itself. */
function openOld({ fs }: DurableDirectory, path: string): number | null {
  try {
    return openToRead(fs, path)
  } catch {
    return null
  }
}

function tryRename(directory: DurableDirectory, job: FileChange): FileOutcome | null {
  const { fs } = directory
  try {
    if (!ownsLock(directory)) return { kind: 'lock-lost' }
    const follows = job.kind === 'replace' || job.kind === 'delete'
    if (follows && !isSame(identityOf(fs, job.path), job.expected)) {
      return { kind: 'refused', because: 'changed-outside' }
    }
    changeName(directory, job)
    return null
  } catch (error) {
    if (error instanceof HalfWay) return { kind: 'unknown', detail: error.message }
    if (!ownsLock(directory)) return { kind: 'lock-lost' }
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return { kind: 'refused', because: 'exists' }
    return failure(error)
  }
}

function changeName(directory: DurableDirectory, job: FileChange): void {
  const { fs, leftovers } = directory
  switch (job.kind) {
    case 'create':
      // A link fails where a rename would replace: two that create the same campaign cannot both succeed.
      fs.linkSync(job.temp, job.path)
      leftovers.remove(fs, job.temp)
      break
    case 'replace':
      fs.renameSync(job.temp, job.path)
      break
    case 'delete':
      fs.renameSync(job.path, trashPath(directory, job.path))
      break
    case 'move':
      fs.renameSync(job.path, trashPath(directory, job.to))
      moveOn(directory, { path: job.path, out: trashPath(directory, job.to), to: job.to })
      break
  }
}

function trashPath({ trash }: DurableDirectory, path: string): string {
  return join(trash, basename(path))
}

/** Neither at its old path nor at the new one, and not to be brought back: only a start can resolve it. */
class HalfWay extends Error {}

function moveOn({ fs }: DurableDirectory, { path, out, to }: { path: string; out: string; to: string }): void {
  try {
    fs.renameSync(out, to)
  } catch (error) {
    try {
      fs.renameSync(out, path)
    } catch {
      throw new HalfWay(`${path} was left in ${out}`)
    }
    throw error
  }
}

/** Another job ended all writing: nothing of this one is changed. */
function giveUp({ fs, leftovers }: DurableDirectory, job: FileChange): FileOutcome {
  if (isWrite(job)) leftovers.remove(fs, job.temp)
  return STOPPED
}

/** Makes the changed names durable, and checks that the directory was ours up to then. */
function flushNames(directory: DurableDirectory): FileOutcome | null {
  const { fs, descriptor, flush } = directory
  try {
    // Never again on this descriptor after an error: the second flush would report success for pages that are lost.
    // mutation: no-flush-after-rename
    if (flush) fs.fsyncSync(descriptor)
  } catch (error) {
    return { kind: 'unknown', detail: `the directory could not be flushed: ${(error as Error).message}` }
  }
  // mutation: no-lock-check-after-rename
  if (!ownsLock(directory)) return { kind: 'unknown', detail: 'the lock was lost during the write' }
  // Where the flush of another thread failed, this one may have reported success for what that one lost.
  if (directory.isStopped()) return { kind: 'unknown', detail: 'another write ended in doubt meanwhile' }
  return null
}

function clearAway(directory: DurableDirectory, { job, replaced }: Progress, isDurable: boolean): void {
  const { fs, leftovers } = directory
  closeQuietly(fs, replaced)
  if (job.kind === 'delete' && isDurable) leftovers.remove(fs, trashPath(directory, job.path))
}

function isWrite(job: FileJob): job is Write {
  return job.kind === 'create' || job.kind === 'replace'
}

function ownsLock({ fs, lockPath, lock }: DurableDirectory): boolean {
  return isLock(lockPath, lock, fs)
}

function failure(error: unknown): Extract<FileOutcome, { readonly because: 'error' }> {
  const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException
  return { kind: 'refused', because: 'error', errno: code, detail: message }
}

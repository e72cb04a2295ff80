import type * as nodeFs from 'node:fs'
import { basename, join } from 'node:path'
import { identityOf, isSame, type FileIdentity } from './file-identity.ts'
import type { FileChange, FileJob, FileOutcome } from './file-job.ts'
import { isLock, type LockIdentity } from '../lock/lock-identity.ts'
import { flushTemp, letGo, removeTemp, writeTemp } from './temp-file.ts'

export interface DurableDirectory {
  readonly fs: typeof nodeFs
  /** An open descriptor of the directory that holds the files. */
  readonly descriptor: number
  /** False leaves out the flushes: what is done then survives a crash of the process, not of the machine. */
  readonly flush: boolean
  /**
   * A directory of this process, that a successor removes before it reads: what leaves goes through it, so that a process
   * that was stopped between its last look at the lock and its change finds no way, and leaves its successor's file alone.
   */
  readonly trash: string
  readonly lockPath: string
  readonly lock: LockIdentity
}

type Write = FileChange & { readonly kind: 'create' | 'replace' }

/** How far a job has come: to its outcome, or to where the next step takes it on. */
type Progress<T> = { readonly outcome: FileOutcome } | T

/** Its new file, if it has one, is written. */
interface Written {
  readonly job: FileChange
  readonly descriptor: number | null
}

/** Its new file, if it has one, is on disk, not yet under its name. */
interface Flushed {
  readonly job: FileChange
  readonly identity: FileIdentity | null
}

/** Its name is changed, and a power cut may still undo that. */
interface Renamed {
  readonly job: FileChange
  readonly identity: FileIdentity | null
  /** The file that had the name before, kept open. */
  readonly replaced: number | null
}

/** How jobs ended, and what is left to do when that was told. */
export interface JobRun {
  readonly outcomes: readonly FileOutcome[]
  /** Frees the room of the files that are gone: a fifth of the time of a change of 4 MB, for which nobody has to wait. */
  readonly clearAway: () => void
}

/**
 * Carries out jobs on different files, each durably and all or nothing, step by step together: of those that come at the same
 * moment the first flush takes most of the others along, and one flush of the directory is for all. Synchronous on purpose: it
 * runs in a thread of its own, where it waits for nobody, and where the flushes cannot starve the refresh of the lock in the
 * thread pool.
 */
export function runJobs(directory: DurableDirectory, jobs: readonly FileJob[]): JobRun {
  const hurry = directory.flush && jobs.length > 1
  const written = jobs.map((job) => write(directory, job, hurry))
  const flushed = written.map((one) => ('outcome' in one ? one : flush(directory, one)))
  const renamed: Progress<Renamed>[] = []
  for (const one of flushed) {
    const isOver = renamed.some((before) => 'outcome' in before && isEnd(before.outcome))
    renamed.push('outcome' in one ? one : isOver ? giveUp(directory, one) : rename(directory, one))
  }
  const outcomes = finishJobs(directory, renamed)
  return { outcomes, clearAway: () => clearAway(directory, renamed, outcomes) }
}

/** What ends all writing: after it the disk is not to be touched any more. */
export function isEnd({ kind }: FileOutcome): boolean {
  return kind === 'unknown' || kind === 'lock-lost'
}

function flushFiles({ fs, flush, descriptor: directory }: DurableDirectory, paths: readonly string[]): FileOutcome {
  if (!flush || paths.length === 0) return { kind: 'done', identity: null }
  try {
    for (const path of paths) {
      const descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW)
      try {
        fs.fsyncSync(descriptor)
      } finally {
        fs.closeSync(descriptor)
      }
    }
  } catch (error) {
    return failure(error)
  }
  try {
    fs.fsyncSync(directory)
  } catch (error) {
    return { kind: 'unknown', detail: `the directory could not be flushed: ${(error as Error).message}` }
  }
  return { kind: 'done', identity: null }
}

function write(directory: DurableDirectory, job: FileJob, hurry: boolean): Progress<Written> {
  if (job.kind === 'flush') return { outcome: flushFiles(directory, job.paths) }
  if (!isWrite(job)) return { job, descriptor: null }
  try {
    return { job, descriptor: writeTemp(directory.fs, job.temp, job.parts, hurry) }
  } catch (error) {
    return { outcome: failure(error) }
  }
}

function flush({ fs, flush: isAsked }: DurableDirectory, { job, descriptor }: Written): Progress<Flushed> {
  if (descriptor === null || !isWrite(job)) return { job, identity: null }
  try {
    return { job, identity: flushTemp(fs, job.temp, descriptor, isAsked) }
  } catch (error) {
    return { outcome: failure(error) }
  }
}

/** The step that makes a change visible, after its checks: the directory still ours and the file the one we left. */
function rename(directory: DurableDirectory, { job, identity }: Flushed): Progress<Renamed> {
  const replaced = job.kind === 'replace' ? openOld(directory, job.path) : null
  const outcome = tryRename(directory, job)
  if (outcome === null) return { job, identity, replaced }
  letGo(directory.fs, replaced)
  if (isWrite(job) && outcome.kind !== 'unknown') removeTemp(directory.fs, job.temp)
  return { outcome }
}

/** Null when it cannot be opened: then the rename frees its room itself. */
function openOld({ fs }: DurableDirectory, path: string): number | null {
  try {
    return fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW)
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
  const { fs } = directory
  switch (job.kind) {
    case 'create':
      // A link fails where a rename would replace: two that create the same campaign cannot both succeed.
      fs.linkSync(job.temp, job.path)
      removeTemp(fs, job.temp)
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

/** Through which a file leaves. */
function trashPath({ trash }: DurableDirectory, path: string): string {
  return join(trash, basename(path))
}

/** Neither where it was nor where it was to be, and not to be brought back: only a start can tell. */
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

/** Of a job that comes behind one which ended all writing: nothing of it is changed. */
function giveUp(directory: DurableDirectory, { job }: Flushed): Progress<Renamed> {
  if (isWrite(job)) removeTemp(directory.fs, job.temp)
  return { outcome: { kind: 'lock-lost' } }
}

/** Makes the changed names durable, with one flush, and sees that the directory was ours up to its end. */
function finishJobs(directory: DurableDirectory, renamed: readonly Progress<Renamed>[]): FileOutcome[] {
  if (renamed.every((one) => 'outcome' in one)) return renamed.map(({ outcome }) => outcome)
  const doubt = flushNames(directory)
  return renamed.map((one) => ('outcome' in one ? one.outcome : (doubt ?? { kind: 'done', identity: one.identity })))
}

function clearAway(
  directory: DurableDirectory,
  renamed: readonly Progress<Renamed>[],
  outcomes: readonly FileOutcome[],
): void {
  for (const [index, one] of renamed.entries()) {
    if ('outcome' in one) continue
    letGo(directory.fs, one.replaced)
    const isGone = one.job.kind === 'delete' && outcomes[index]?.kind === 'done'
    if (isGone) removeTemp(directory.fs, trashPath(directory, one.job.path))
  }
}

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
  return null
}

function isWrite(job: FileChange): job is Write {
  return job.kind === 'create' || job.kind === 'replace'
}

function ownsLock({ fs, lockPath, lock }: DurableDirectory): boolean {
  return isLock(lockPath, lock, fs)
}

function failure(error: unknown): FileOutcome {
  const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException
  return { kind: 'refused', because: 'error', errno: code, detail: message }
}

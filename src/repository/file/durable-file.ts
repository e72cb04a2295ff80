import type * as nodeFs from 'node:fs'
import { basename, join } from 'node:path'
import { isLock, type LockIdentity } from './lock-identity.ts'

/** What tells a file from another one at the same path, or from itself after a change from outside. */
export interface FileIdentity {
  readonly inode: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
}

/** A change of one file. */
export type FileChange =
  | { readonly kind: 'create'; readonly path: string; readonly temp: string; readonly parts: readonly Uint8Array[] }
  | {
      readonly kind: 'replace'
      readonly path: string
      readonly temp: string
      readonly parts: readonly Uint8Array[]
      readonly expected: FileIdentity
    }
  | { readonly kind: 'delete'; readonly path: string; readonly expected: FileIdentity }
  | { readonly kind: 'move'; readonly path: string; readonly to: string }

/** `flush` makes durable what somebody else wrote, as it is. */
export type FileJob = FileChange | { readonly kind: 'flush'; readonly paths: readonly string[] }

/**
 * - `done`: it is on disk, and survives a power cut
 * - `refused`: nothing changed. `exists`: the path is taken; `changed-outside`: the file is not the one we left;
 *   `error`: a system call failed, with its errno name
 * - `lock-lost`: nothing changed by us, and nothing may be any more: the directory belongs to somebody else
 * - `unknown`: the name was changed and then something failed; what a power cut leaves cannot be told
 */
export type FileOutcome =
  | { readonly kind: 'done'; readonly identity: FileIdentity | null }
  | { readonly kind: 'refused'; readonly because: 'exists' | 'changed-outside' }
  | { readonly kind: 'refused'; readonly because: 'error'; readonly errno: string; readonly detail: string }
  | { readonly kind: 'lock-lost' }
  | { readonly kind: 'unknown'; readonly detail: string }

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
  readonly leaving: string
  readonly lockPath: string
  readonly lock: LockIdentity
}

/**
 * Carries out one change of one file, durably and all or nothing. Synchronous on purpose: it runs in a thread of its
 * own, where it waits for nobody, and where the flushes cannot starve the refresh of the lock in the thread pool.
 */
export function carryOut(directory: DurableDirectory, job: FileJob): FileOutcome {
  switch (job.kind) {
    case 'create':
    case 'replace':
      return writeFile(directory, job)
    case 'delete':
      return leave(directory, job.path, job.expected, null)
    case 'move':
      return leave(directory, job.path, null, job.to)
    case 'flush':
      return flushFiles(directory, job.paths)
  }
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

/** Takes a file away, for good or to another name. */
function leave(
  directory: DurableDirectory,
  path: string,
  expected: FileIdentity | null,
  to: string | null,
): FileOutcome {
  const { fs, leaving } = directory
  const out = join(leaving, basename(to ?? path))
  const outcome = rename(directory, expected, path, () => {
    fs.renameSync(path, out)
    if (to !== null) moveOn(directory, { path, out, to })
    return null
  })
  if (to === null && outcome.kind === 'done') removeTemp(directory, out)
  return outcome
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

function writeFile(directory: DurableDirectory, job: FileChange & { kind: 'create' | 'replace' }): FileOutcome {
  const { fs } = directory
  let identity: FileIdentity
  try {
    identity = writeTemp(directory, job.temp, job.parts)
  } catch (error) {
    removeTemp(directory, job.temp)
    return failure(error)
  }
  const expected = job.kind === 'replace' ? job.expected : null
  const outcome = rename(directory, expected, job.path, () => {
    if (job.kind === 'create') {
      // A link fails where a rename would replace: two that create the same campaign cannot both succeed.
      fs.linkSync(job.temp, job.path)
      removeTemp(directory, job.temp)
    } else {
      fs.renameSync(job.temp, job.path)
    }
    return identity
  })
  if (outcome.kind === 'refused' || outcome.kind === 'lock-lost') removeTemp(directory, job.temp)
  return outcome
}

/** A new file with all the bytes, on disk, not yet under its name. */
function writeTemp({ fs, flush }: DurableDirectory, path: string, parts: readonly Uint8Array[]): FileIdentity {
  const descriptor = fs.openSync(path, 'wx', 0o600)
  let open = true
  try {
    writeAll(fs, descriptor, parts)
    if (flush) fs.fsyncSync(descriptor)
    const { ino, size, mtimeNs } = fs.fstatSync(descriptor, { bigint: true })
    open = false
    fs.closeSync(descriptor)
    return { inode: ino, size, mtimeNs }
  } finally {
    if (open) fs.closeSync(descriptor)
  }
}

/** A short write is no error to the system: on a nearly full disk it is the only sign. */
function writeAll(fs: typeof nodeFs, descriptor: number, parts: readonly Uint8Array[]): void {
  let waiting = parts.filter((part) => part.length > 0)
  while (waiting.length > 0) {
    let written = fs.writevSync(descriptor, waiting.slice(0, 1024))
    if (written === 0) throw Object.assign(new Error('EIO: nothing more can be written'), { code: 'EIO' })
    while (written > 0 && waiting[0] !== undefined && written >= waiting[0].length) {
      written -= waiting[0].length
      waiting = waiting.slice(1)
    }
    if (written > 0 && waiting[0] !== undefined) waiting = [waiting[0].subarray(written), ...waiting.slice(1)]
  }
}

/**
 * The step that makes the change visible, between its checks: the directory still ours and the file the one we left
 * before it, the name on disk and the directory still ours after it.
 */
function rename(
  directory: DurableDirectory,
  expected: FileIdentity | null,
  path: string,
  change: () => FileIdentity | null,
): FileOutcome {
  const { fs, descriptor, flush } = directory
  let identity: FileIdentity | null
  try {
    if (!ownsLock(directory)) return { kind: 'lock-lost' }
    if (expected !== null && !isSame(identityOf(fs, path), expected)) {
      return { kind: 'refused', because: 'changed-outside' }
    }
    identity = change()
  } catch (error) {
    if (error instanceof HalfWay) return { kind: 'unknown', detail: error.message }
    if (!ownsLock(directory)) return { kind: 'lock-lost' }
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return { kind: 'refused', because: 'exists' }
    return failure(error)
  }
  try {
    // Never again on this descriptor after an error: the second flush would report success for pages that are lost.
    if (flush) fs.fsyncSync(descriptor)
  } catch (error) {
    return { kind: 'unknown', detail: `the directory could not be flushed: ${(error as Error).message}` }
  }
  if (!ownsLock(directory)) return { kind: 'unknown', detail: 'the lock was lost during the write' }
  return { kind: 'done', identity }
}

/** Null when there is no file, or no regular one. */
export function identityOf(fs: typeof nodeFs, path: string): FileIdentity | null {
  const stat = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })
  if (!stat?.isFile()) return null
  return { inode: stat.ino, size: stat.size, mtimeNs: stat.mtimeNs }
}

export function isSame(a: FileIdentity | null, b: FileIdentity | null): boolean {
  return a?.inode === b?.inode && a?.size === b?.size && a?.mtimeNs === b?.mtimeNs
}

function ownsLock({ fs, lockPath, lock }: DurableDirectory): boolean {
  return isLock(lockPath, lock, fs)
}

function removeTemp({ fs }: DurableDirectory, path: string): void {
  try {
    fs.unlinkSync(path)
  } catch {
    // Not there, or swept at the next start.
  }
}

function failure(error: unknown): FileOutcome {
  const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException
  return { kind: 'refused', because: 'error', errno: code, detail: message }
}

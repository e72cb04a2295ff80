import { existsSync, mkdtempSync, readdirSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { lock, type LockOptions } from 'proper-lockfile'
import {
  describeOwner,
  describeThisProcess,
  isKnownToBeGone,
  isLockOf,
  readOwnerRecord,
  type OwnerRecord,
} from './owner-record.ts'
import { hasBirthTimes, type LockIdentity } from './lock-identity.ts'
import { OwnedLockFs } from './owned-lock-fs.ts'

/** One figure for everybody: a process that held a lock for dead sooner than another would take it from it. */
const STALE_MS = 10_000
/** Refreshed four times a period, so that three may fail. */
const REFRESH_MS = 2_500
/** How much longer than `STALE_MS` a contender waits, so that a holder that died just now is outlived. */
const GRACE_MS = 2_000
const SECOND_LOOK_MS = 1_000
const POLL_MS = 200

export interface DirectoryLock {
  readonly lockPath: string
  /** The lock directory we made: whoever sees another one there has lost the lock. */
  readonly identity: LockIdentity
  /** One look at the disk. */
  isOurs(): boolean
  /** Milliseconds since it was refreshed, by one look at the disk; infinite when it is not ours any more. */
  age(): number
  /** Removes the lock if it is still ours. */
  release(): Promise<void>
  /** Leaves the lock as it is, for ever: for a process that is in doubt and about to die. */
  abandon(): void
}

export interface LockEvents {
  /** Somebody else holds it; called once, before the wait. */
  readonly onWait: (holder: string, seconds: number) => void
  /** The lock was lost while held. Called at most once, and not after a release. */
  readonly onLost: (reason: Error) => void
}

/**
 * Makes this process the only one that uses a directory, until release or death.
 *
 * A holder that is known to be dead is succeeded at once; one that cannot be told is outwaited.
 * @throws Error naming the holder when it is still there after that, or what has to be removed
 */
export async function lockDirectory(directory: string, events: LockEvents): Promise<DirectoryLock> {
  const deadline = performance.now() + STALE_MS + GRACE_MS
  const birthTimes = await hasBirthTimes(directory)
  let contended = false
  for (;;) {
    const { lock, tookOver } = await tryLock(directory, birthTimes, events.onLost)
    if (lock !== null) {
      const owner = describeThisProcess(lock.identity, new Date().toISOString())
      writeOwner(directory, owner)
      if (contended || tookOver) await sleep(SECOND_LOOK_MS)
      if (lock.isOurs() && isStillOwner(directory, owner, lock.identity)) return lock
      await lock.letGo()
    }
    const holder = describeOwner(readOwnerRecord(ownerPath(directory)))
    if (performance.now() > deadline) {
      throw new Error(
        `The data directory ${directory} is in use by ${holder}. Stop that one, or use another directory.`,
      )
    }
    if (!contended) events.onWait(holder, (STALE_MS + GRACE_MS) / 1000)
    contended = true
    await sleep(POLL_MS)
  }
}

/** A lock that may turn out to be another's at the second look. */
interface Contended extends DirectoryLock {
  /** Gives it up and leaves it as it is. */
  letGo(): Promise<void>
}

interface Attempt {
  readonly lock: Contended | null
  readonly tookOver: boolean
}

async function tryLock(directory: string, birthTimes: boolean, onLost: LockEvents['onLost']): Promise<Attempt> {
  const lockPath = join(directory, 'lock')
  const fs = new OwnedLockFs(lockPath, STALE_MS, birthTimes)
  const found = inspect(lockPath, birthTimes)
  const tookOver = removeStaleLock(directory, fs, found) || (found !== null && found.mtimeMs < Date.now() - STALE_MS)
  let released = false
  const options: LockOptions = {
    lockfilePath: lockPath,
    realpath: false,
    stale: STALE_MS,
    update: REFRESH_MS,
    retries: 0,
    fs: fs.forLibrary(),
    onCompromised: (reason) => {
      // The library goes on looking for a moment after a release, and then misses what was removed.
      if (released) return
      released = true
      fs.abandon()
      onLost(reason)
    },
  }
  /** What another moved aside it puts back when it sees that it lives. */
  const putBack = async () => {
    await sleep(POLL_MS)
    fs.removePutBack()
  }
  const releaseLibrary = await lock(directory, options).catch(async (error: unknown) => {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ELOCKED') return null
    // The library looks at the lock that it has just made, and by then another contender may have moved it aside.
    if (code === 'ENOENT' && existsSync(directory)) {
      await putBack()
      return null
    }
    throw new Error(`Cannot lock ${lockPath}: ${(error as Error).message}`, { cause: error })
  })
  if (releaseLibrary === null) return { lock: null, tookOver }
  const letGo = async () => {
    if (released) return
    released = true
    if (!fs.isOurs()) await putBack()
    fs.abandon()
    await releaseLibrary()
  }
  const { identity } = fs
  if (identity === null) {
    await letGo()
    return { lock: null, tookOver }
  }
  const held: Contended = {
    letGo,
    lockPath,
    identity,
    isOurs: () => fs.isOurs(),
    age: () => fs.age(),
    release: async () => {
      if (released) return
      released = true
      if (fs.isOurs()) rmSync(ownerPath(directory), { force: true })
      await releaseLibrary()
    },
    abandon: () => {
      released = true
      fs.abandon()
    },
  }
  return { lock: held, tookOver }
}

/** @returns the stat of the lock directory, null when there is none */
function inspect(lockPath: string, birthTimes: boolean): (LockIdentity & { readonly mtimeMs: number }) | null {
  try {
    const stat = statSync(lockPath, { bigint: true, throwIfNoEntry: false })
    if (stat === undefined) return null
    if (!stat.isDirectory()) throw new Error(`${lockPath} is not a directory. Remove it: rm ${lockPath}`)
    const inside = readdirSync(lockPath)
    if (inside.length > 0) {
      throw new Error(`${lockPath} must be empty, but holds ${inside.join(', ')}. Remove it: rm -r ${lockPath}`)
    }
    return { mtimeMs: Number(stat.mtimeMs), inode: stat.ino, birthtimeNs: birthTimes ? stat.birthtimeNs : null }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/**
 * Takes the lock of an owner that is known to be dead out of the way. Of many that know it only the one does who gets the
 * record: the others must not take the lock that comes next for the dead one's.
 */
function removeStaleLock(directory: string, fs: OwnedLockFs, found: LockIdentity | null): boolean {
  const owner = found === null ? null : readOwnerRecord(ownerPath(directory))
  if (found === null || owner === null || !isLockOf(owner, found) || !isKnownToBeGone(owner)) return false
  const record = join(directory, `owner-${randomUUID()}`)
  try {
    renameSync(ownerPath(directory), record)
  } catch {
    return false
  }
  const isTheDead = readOwnerRecord(record)?.token === owner.token
  if (!isTheDead) renameSync(record, ownerPath(directory))
  const taken =
    isTheDead &&
    fs.takeAside((stat) =>
      isLockOf(owner, { inode: stat.ino, birthtimeNs: found.birthtimeNs === null ? null : stat.birthtimeNs }),
    )
  rmSync(record, { force: true })
  return taken
}

/**
 * False when another took itself for the owner of the very same lock directory and wrote its record after us. A record
 * that was left by one that holds no lock any more is written over.
 */
function isStillOwner(directory: string, owner: OwnerRecord, lock: LockIdentity): boolean {
  const record = readOwnerRecord(ownerPath(directory))
  if (record?.token === owner.token) return true
  if (record !== null && isLockOf(record, lock)) return false
  writeOwner(directory, owner)
  return true
}

/** By rename: a contender that reads it must not see half a record. */
function writeOwner(directory: string, owner: OwnerRecord): void {
  const scratch = mkdtempSync(join(directory, 'owner-'))
  const file = join(scratch, 'owner.json')
  writeFileSync(file, `${JSON.stringify(owner, null, 2)}\n`, { mode: 0o600 })
  renameSync(file, ownerPath(directory))
  rmdirSync(scratch)
}

function ownerPath(directory: string): string {
  return join(directory, 'owner.json')
}

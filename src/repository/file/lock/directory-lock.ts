import { randomUUID } from 'node:crypto'
import {
  type BigIntStats,
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { lock, type LockOptions } from 'proper-lockfile'
import { hasBirthTimes, type LockIdentity } from './lock-identity.ts'
import { OwnedLockFs } from './owned-lock-fs.ts'
import {
  describeOwner,
  describeThisProcess,
  isKnownToBeGone,
  isLockOf,
  type OwnerRecord,
  readOwnerRecord,
} from './owner-record.ts'

/** The same for every process: one with a shorter limit would take the lock of a live holder. */
const STALE_MS = 10_000
/** Refreshed four times a period, so that three may fail. */
const REFRESH_MS = 2_500
/** How much longer than `STALE_MS` a contender waits, so that it outlives a holder that died just now. */
const GRACE_MS = 2_000
const SECOND_CHECK_MS = 1_000
const POLL_MS = 200

export interface LockEvents {
  /** Another process holds it; called once, before the wait. */
  readonly onWait: (holder: string, seconds: number) => void
  /** The lock was lost while held. Called at most once, and not after a release. */
  readonly onLost: (reason: Error) => void
}

/**
 * Makes this process the only one that uses a directory, until release or death. The lock of a holder that is known to be dead is
 * taken over at once; where that cannot be known, once it is stale.
 * @throws Error naming the holder when it is still there after that, or what has to be removed
 */
export async function lockDirectory(directory: string, events: LockEvents): Promise<DirectoryLock> {
  const deadline = performance.now() + STALE_MS + GRACE_MS
  const birthTimes = await hasBirthTimes(directory)
  let contended = false
  for (;;) {
    const fs = new OwnedLockFs(join(directory, 'lock'), STALE_MS, birthTimes)
    const takesOver = removeStaleLock(directory, fs)
    const lock = await acquire(directory, fs, events.onLost)
    if (lock !== null) {
      const owner = describeThisProcess(lock.identity, new Date().toISOString())
      writeOwner(directory, owner)
      if (contended || takesOver) await sleep(SECOND_CHECK_MS)
      if (lock.isOurs() && isStillOwner(directory, owner, lock.identity)) return lock
      await lock.withdraw()
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

/** A lock that this process made. At the second check it may turn out to be another's. */
export class DirectoryLock {
  /** Released, withdrawn, abandoned or lost: the library still checks the lock for a moment, and then misses it. */
  private isOver = false

  /** @param identity of the lock directory that this process made: when another one is there, the lock is lost */
  constructor(
    private readonly directory: string,
    private readonly fs: OwnedLockFs,
    readonly identity: LockIdentity,
    private readonly releaseLibrary: () => Promise<void>,
  ) {}

  get lockPath(): string {
    return this.fs.lockPath
  }

  /** One check of the disk. */
  isOurs(): boolean {
    return this.fs.isOurs()
  }

  /** Milliseconds since it was refreshed, by one check of the disk; infinite when it is not ours any more. */
  age(): number {
    return this.fs.age()
  }

  /** Removes the lock if it is still ours. */
  async release(): Promise<void> {
    if (this.isOver) return
    this.isOver = true
    if (this.fs.isOurs()) rmSync(ownerPath(this.directory), { force: true })
    await this.releaseLibrary()
  }

  /** Leaves the lock as it is, for ever: for a process that is in doubt and about to end. */
  abandon(): void {
    this.isOver = true
    this.fs.abandon()
  }

  /** Another lock was found in its place. @returns false when this one was over already */
  lose(): boolean {
    if (this.isOver) return false
    this.abandon()
    return true
  }

  /** Leaves it to the other process. */
  async withdraw(): Promise<void> {
    if (this.isOver) return
    this.isOver = true
    if (!this.fs.isOurs()) await removePutBack(this.fs)
    this.fs.abandon()
    await this.releaseLibrary()
  }
}

/** Null when another process has it. */
async function acquire(
  directory: string,
  fs: OwnedLockFs,
  onLost: LockEvents['onLost'],
): Promise<DirectoryLock | null> {
  let held: DirectoryLock | null = null
  const options: LockOptions = {
    lockfilePath: fs.lockPath,
    realpath: false,
    stale: STALE_MS,
    update: REFRESH_MS,
    retries: 0,
    fs: fs.forLibrary(),
    onCompromised: (reason) => {
      if (held?.lose() === true) onLost(reason)
    },
  }
  let releaseLibrary: () => Promise<void>
  try {
    releaseLibrary = await lock(directory, options)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ELOCKED') return null
    // The library checks the lock that it has just made, which another contender may have moved aside before that.
    if (code !== 'ENOENT' || !existsSync(directory)) {
      throw new Error(`Cannot lock ${fs.lockPath}: ${message}`, { cause: error })
    }
    await removePutBack(fs)
    return null
  }
  if (fs.identity !== null) held = new DirectoryLock(directory, fs, fs.identity, releaseLibrary)
  else {
    fs.abandon()
    await releaseLibrary()
  }
  return held
}

/** A contender that moved a lock aside puts it back when it sees that it is fresh. */
async function removePutBack(fs: OwnedLockFs): Promise<void> {
  await sleep(POLL_MS)
  fs.removePutBack()
}

/** @throws Error that says what to remove, when something else than a lock is there */
function statLock({ lockPath }: OwnedLockFs): BigIntStats | null {
  try {
    const stat = statSync(lockPath, { bigint: true, throwIfNoEntry: false })
    if (stat === undefined) return null
    if (!stat.isDirectory()) throw new Error(`${lockPath} is not a directory. Remove it: rm ${lockPath}`)
    const inside = readdirSync(lockPath)
    if (inside.length === 0) return stat
    throw new Error(`${lockPath} must be empty, but holds ${inside.join(', ')}. Remove it: rm -r ${lockPath}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/**
 * Removes the lock of an owner that is known to be dead. One that is only stale is left to the library.
 * @returns whether a dead or stale lock was found, so that other contenders may have found it too
 */
function removeStaleLock(directory: string, fs: OwnedLockFs): boolean {
  const found = statLock(fs)
  if (found === null) return false
  const owner = readOwnerRecord(ownerPath(directory))
  const isDead = owner !== null && isLockOf(owner, fs.identityOf(found)) && isKnownToBeGone(owner)
  return (isDead && removeLockOf(owner, directory, fs)) || Number(found.mtimeMs) < Date.now() - STALE_MS
}

/**
 * Of many processes that know that the owner is dead, only the one that gets its record removes its lock: the others must not
 * take the next lock for the dead one's.
 */
function removeLockOf(owner: OwnerRecord, directory: string, fs: OwnedLockFs): boolean {
  const record = join(directory, `owner-${randomUUID()}`)
  try {
    renameSync(ownerPath(directory), record)
  } catch {
    return false
  }
  const isRecordOfDead = readOwnerRecord(record)?.token === owner.token
  if (!isRecordOfDead) renameSync(record, ownerPath(directory))
  const removed = isRecordOfDead && fs.takeAside((stat) => isLockOf(owner, fs.identityOf(stat)))
  rmSync(record, { force: true })
  return removed
}

/**
 * False when another process took the very same lock directory for its own and wrote its record after us. The record of a process
 * that holds no lock any more is overwritten.
 */
function isStillOwner(directory: string, owner: OwnerRecord, lock: LockIdentity): boolean {
  const record = readOwnerRecord(ownerPath(directory))
  if (record?.token === owner.token) return true
  if (record !== null && isLockOf(record, lock)) return false
  writeOwner(directory, owner)
  return true
}

/** By a rename: a contender must not read half a record. */
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

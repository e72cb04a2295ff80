import { type BigIntStats, existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { lock, type LockOptions } from 'proper-lockfile'
import { hasBirthTimes, type LockIdentity } from './lock-identity.ts'
import { LockObservation, WakingClock } from './lock-observation.ts'
import { OwnedLockFs } from './owned-lock-fs.ts'
import { OwnerFile } from './owner-file.ts'
import { describeOwner, describeThisProcess, isKnownToBeGone, isLockOf } from './owner-record.ts'

/** A holder that could not refresh its lock for as long has lost it. The same for every process, as all of these. */
const STALE_MS = 10_000
/** Refreshed four times a period, so that three may fail. */
const REFRESH_MS = 2_500
/** A contender takes a lock that it has seen unchanged for as long: later than its holder gives it up. */
const OBSERVED_MS = STALE_MS + 2_000
/** How long a contender waits at most: it outlives a holder that refreshed its lock once more after the first look at it. */
const WAIT_MS = OBSERVED_MS + REFRESH_MS + 500
const SECOND_CHECK_MS = 1_000
const POLL_MS = 200

export interface LockEvents {
  /** Another process holds it; called once, before a wait of so many seconds at most. */
  readonly onWait: (holder: string, seconds: number) => void
  /** The lock was lost while held. Called at most once, and not after a release. */
  readonly onLost: (reason: Error) => void
}

/**
 * Makes this process the only one that uses a directory, until release or death. The lock of a holder that is known to be dead is
 * taken over at once; where that cannot be known, once it was seen unchanged for long enough.
 * @throws Error naming the holder when it is still there after that, or what has to be removed
 */
export async function lockDirectory(directory: string, events: LockEvents): Promise<DirectoryLock> {
  const clock = new WakingClock()
  const observation = new LockObservation(clock, OBSERVED_MS)
  const birthTimes = await hasBirthTimes(directory)
  const owner = new OwnerFile(directory)
  let contended = false
  for (;;) {
    const fs = new OwnedLockFs(join(directory, 'lock'), STALE_MS, birthTimes, observation)
    const wasThere = removeLockOfDead(owner, fs)
    const lock = await acquire(directory, fs, owner, events.onLost)
    if (lock !== null) {
      if (await lock.hold(contended || wasThere)) return lock
      await lock.withdraw()
    }
    const holder = describeOwner(owner.read())
    if (clock.now() > WAIT_MS) {
      throw new Error(
        `The data directory ${directory} is in use by ${holder}. Stop that one, or use another directory.`,
      )
    }
    if (!contended) events.onWait(holder, WAIT_MS / 1000)
    contended = true
    await sleep(POLL_MS)
  }
}

/** A lock that this process made. Before it is held it may turn out to be another's. */
export class DirectoryLock {
  /** `over`: released, withdrawn, abandoned or lost. The library still checks the lock for a moment, and then misses it. */
  private state: 'made' | 'held' | 'over' = 'made'

  /** @param identity of the lock directory that this process made: when another one is there, the lock is lost */
  constructor(
    private readonly fs: OwnedLockFs,
    readonly identity: LockIdentity,
    private readonly owner: OwnerFile,
    private readonly releaseLibrary: () => Promise<void>,
  ) {}

  get lockPath(): string {
    return this.fs.lockPath
  }

  /** One check of the disk. */
  isOurs(): boolean {
    return this.fs.isOurs()
  }

  /** Milliseconds since this process refreshed it; infinite when it is not ours any more, by one check of the disk. */
  age(): number {
    return this.fs.age()
  }

  /**
   * Takes it for this process.
   * @param isContended others may be about to remove it, or to take it for their own: checks again after a second
   * @returns false when it is another's
   * @throws the system's error; then it is released
   */
  async hold(isContended: boolean): Promise<boolean> {
    try {
      const record = describeThisProcess(this.identity, new Date().toISOString())
      if (!this.isOurs() || !this.owner.claim(record, this.identity)) return false
      if (isContended) await sleep(SECOND_CHECK_MS)
      if (!this.isOurs() || !this.owner.claimAgain(record, this.identity)) return false
      this.state = 'held'
      return true
    } catch (error) {
      await this.end()
      throw error
    }
  }

  /** Removes the lock if it is still ours. */
  async release(): Promise<void> {
    if (this.state !== 'over' && this.isOurs()) this.owner.remove()
    await this.end()
  }

  /** Leaves the lock as it is, for ever: for a process that is in doubt and about to end. */
  abandon(): void {
    this.state = 'over'
    this.fs.abandon()
  }

  /** Another lock was found in its place. @returns whether it was held until now */
  lose(): boolean {
    const wasHeld = this.state === 'held'
    if (this.state !== 'over') this.abandon()
    return wasHeld
  }

  /** Leaves it to the other process. */
  async withdraw(): Promise<void> {
    if (this.state === 'over') return
    const isOurs = this.isOurs()
    if (isOurs) this.fs.abandon()
    await this.end()
    if (!isOurs) await removePutBack(this.fs)
    this.fs.abandon()
  }

  /** At once for the library: what it missed later it would report as lost, and then it cannot be released. */
  private async end(): Promise<void> {
    if (this.state === 'over') return
    this.state = 'over'
    await this.releaseLibrary()
  }
}

/** Null when another process has it. */
async function acquire(
  directory: string,
  fs: OwnedLockFs,
  owner: OwnerFile,
  onLost: LockEvents['onLost'],
): Promise<DirectoryLock | null> {
  let made: DirectoryLock | null = null
  const options: LockOptions = {
    lockfilePath: fs.lockPath,
    realpath: false,
    stale: STALE_MS,
    update: REFRESH_MS,
    retries: 0,
    fs: fs.forLibrary(),
    onCompromised: (reason) => {
      if (made?.lose() === true) onLost(reason)
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
  if (fs.identity !== null) made = new DirectoryLock(fs, fs.identity, owner, releaseLibrary)
  else {
    fs.abandon()
    await releaseLibrary()
  }
  return made
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
 * @returns whether a lock was there, so that other contenders may have found it too
 */
function removeLockOfDead(owner: OwnerFile, fs: OwnedLockFs): boolean {
  const found = statLock(fs)
  if (found === null) return false
  const record = owner.read()
  const isDead = record !== null && isLockOf(record, fs.identityOf(found)) && isKnownToBeGone(record)
  if (isDead && owner.take(record)) fs.takeAside((stat) => isLockOf(record, fs.identityOf(stat)))
  return true
}

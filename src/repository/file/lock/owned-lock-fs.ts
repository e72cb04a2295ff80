import { randomUUID } from 'node:crypto'
import * as fs from 'node:fs'
import { isLock, isLockStat, type LockIdentity, lockIdentity, lockIdentityOf } from './lock-identity.ts'
import type { LockObservation } from './lock-observation.ts'

type Done<T = void> = (error: NodeJS.ErrnoException | null, result?: T) => void

/** Times of modification for the library, which compares them with the wall clock: with these it comes to the same at any time. */
const NEVER_STALE = new Date(8.64e15)
const LONG_STALE = new Date(-8.64e15)
/** Milliseconds until a refresh that failed is tried again. */
const RETRY_MS = 1_000

/** `none`: not acquired by us; `abandoned`: never to be touched again. */
type Hold =
  { readonly kind: 'none' } | { readonly kind: 'own'; readonly identity: LockIdentity } | { readonly kind: 'abandoned' }

/**
 * The file system that proper-lockfile sees, for one lock.
 *
 * The library removes the lock directory to release it and to take over a stale one, and in neither case checks whose it is: a
 * process that slept past `stale` removes its successor's lock, and of two that take over at once the slower removes the lock of
 * the faster. Here removing means:
 *
 * - release: only the directory that this process made; and nothing once the lock is abandoned, so that a process that ends in
 *   doubt leaves the lock as it found it
 * - takeover: rename it aside under a unique name first. No other process can take it there, so it can be checked; a live one is
 *   put back
 *
 * Only the directory that this process made is refreshed: its owner would take the time of another for the loss of its lock.
 *
 * The library computes by the wall clock whether the lock of another is stale and whether its own was not refreshed for too long.
 * The one is observed here, the other counted by the monotonic clock, and the library is told what came of it.
 *
 * A new object for each lock, since the library caches the precision of file times on it.
 */
export class OwnedLockFs {
  private hold: Hold = { kind: 'none' }
  /** When it was refreshed, by the monotonic clock. */
  private refreshedAt: number | null = null

  constructor(
    readonly lockPath: string,
    /** Milliseconds without a refresh after which a held lock is lost. */
    private readonly stale: number,
    private readonly hasBirthTimes: boolean,
    /** Of the lock of another. */
    private readonly observation: LockObservation,
  ) {}

  /** The lock directory that this process made; null before, and after it was abandoned. */
  get identity(): LockIdentity | null {
    return this.hold.kind === 'own' ? this.hold.identity : null
  }

  identityOf(stat: fs.BigIntStats): LockIdentity {
    return lockIdentityOf(stat, this.hasBirthTimes)
  }

  /** True while the lock directory is the one that this process made. */
  isOurs(): boolean {
    return this.identity !== null && isLock(this.lockPath, this.identity)
  }

  /** Milliseconds since this process refreshed it; infinite when it is not ours. */
  age(): number {
    return this.isOurs() ? this.sinceRefresh() : Infinity
  }

  /** Never touch the lock directory again, not even on exit. */
  abandon(): void {
    this.hold = { kind: 'abandoned' }
  }

  /**
   * Renames the lock directory aside and removes it if it is dead, else puts it back. It is checked before as well: a process that
   * learned of a dead lock long ago must not move the live one of its successor. While that is aside a third process can take the
   * path, and when it is put back between that process's two calls, it takes the successor's lock for its own.
   *
   * @param isDead decides by the stat of the directory, before it is renamed and after
   * @returns whether it is gone
   */
  takeAside(isDead: (stat: fs.BigIntStats) => boolean): boolean {
    const aside = `${this.lockPath}.stale-${randomUUID()}`
    try {
      if (!isDead(fs.statSync(this.lockPath, { bigint: true }))) return false
      if (!this.isMovedTo(aside)) return this.removeInPlace(isDead)
      const isGone = isDead(fs.statSync(aside, { bigint: true }))
      // A rename would replace the lock that another made meanwhile. The owner of the one aside sees that it lost its own.
      if (isGone || fs.existsSync(this.lockPath)) fs.rmdirSync(aside)
      else fs.renameSync(aside, this.lockPath)
      return isGone
    } catch (error) {
      // Removed by another, also where it was aside.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
      throw error
    }
  }

  /** False where it lies in a lower layer of an overlayfs, whose directories cannot be renamed. */
  private isMovedTo(aside: string): boolean {
    try {
      fs.renameSync(this.lockPath, aside)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EXDEV') return false
      throw error
    }
  }

  /**
   * A lock that is held lies in the upper layer, so that this one is of no process of this mount. Another contender may have made its
   * own between the two calls here: it sees at its second check that it lost it, and this one, which comes last, has the lock.
   */
  private removeInPlace(isDead: (stat: fs.BigIntStats) => boolean): boolean {
    if (!isDead(fs.statSync(this.lockPath, { bigint: true }))) return false
    fs.rmdirSync(this.lockPath)
    return true
  }

  /**
   * Removes the directory that this process made and could not acquire because it was aside just then, if it was put back: no
   * process would refresh it, and all would wait until it is stale. Without times of birth it may be another's, and is left.
   */
  removePutBack(): void {
    if (this.hasBirthTimes && this.isOurs()) fs.rmdirSync(this.lockPath)
  }

  /** The functions that proper-lockfile calls. */
  forLibrary(): Record<string, unknown> {
    return {
      realpath: fs.realpath,
      stat: (path: string, done: Done<{ readonly mtime: Date }>) => {
        if (this.hold.kind === 'none') callBack(done, () => ({ mtime: this.observe() ? LONG_STALE : NEVER_STALE }))
        else this.persist<fs.Stats>((attempted) => fs.stat(path, attempted), done)
      },
      utimes: (path: string, accessed: Date, modified: Date, done: Done) => {
        this.persist((attempted) => this.refresh(path, accessed, modified, attempted), done)
      },
      mkdir: (path: string, done: Done) => {
        callBack(done, () => this.make(path))
      },
      rmdir: (_path: string, done: Done) => {
        callBack(done, () => this.remove())
      },
      rmdirSync: () => this.remove(),
    }
  }

  /** @returns whether the lock of another is stale */
  private observe(): boolean {
    const stat = fs.statSync(this.lockPath, { bigint: true })
    return this.observation.see(stat, this.identityOf(stat))
  }

  /** Both calls in one turn: what happened between them would give us the identity of another's lock. */
  private make(path: string): void {
    fs.mkdirSync(path, 0o700)
    const identity = lockIdentity(path, this.hasBirthTimes)
    if (identity !== null) this.hold = { kind: 'own', identity }
  }

  private remove(): void {
    if (this.hold.kind === 'none') this.takeAside((stat) => this.observation.isStale(stat, this.identityOf(stat)))
    else if (this.isOurs()) fs.rmdirSync(this.lockPath)
  }

  private refresh(path: string, accessed: Date, modified: Date, done: Done): void {
    const began = performance.now()
    try {
      const stat = fs.statSync(path, { bigint: true })
      if (this.identity === null || !isLockStat(stat, this.identity)) throw lost('the lock is not ours')
    } catch (error) {
      process.nextTick(done, error)
      return
    }
    fs.utimes(path, accessed, modified, (error) => {
      if (error === null) this.refreshedAt = began
      done(error)
    })
  }

  /**
   * Tries again what fails on a lock that was refreshed before, until that is too long ago: so the library, which would count by the
   * wall clock, learns that it succeeded or that the lock is lost.
   */
  private persist<T>(attempt: (done: Done<T>) => void, done: Done<T>): void {
    attempt((error, result) => {
      if (error === null || error.code === 'ENOENT' || this.refreshedAt === null) done(error, result)
      else if (this.sinceRefresh() > this.stale) done(lost(`the lock could not be refreshed: ${error.message}`))
      else setTimeout(() => this.persist(attempt, done), RETRY_MS).unref()
    })
  }

  private sinceRefresh(): number {
    return this.refreshedAt === null ? 0 : performance.now() - this.refreshedAt
  }
}

/** What the library takes for the loss of a lock. */
function lost(message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code: 'ENOENT' })
}

function callBack<T>(done: Done<T>, work: () => T): void {
  try {
    process.nextTick(done, null, work())
  } catch (error) {
    process.nextTick(done, error)
  }
}

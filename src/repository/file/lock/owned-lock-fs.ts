import { randomUUID } from 'node:crypto'
import * as fs from 'node:fs'
import { isLock, lockAge, type LockIdentity, lockIdentity, lockIdentityOf } from './lock-identity.ts'

type Done = (error: NodeJS.ErrnoException | null) => void

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
 * And only the directory that this process made is refreshed: its owner would take the time of another for the loss of its lock.
 *
 * A new object for each lock, since the library caches the precision of file times on it.
 */
export class OwnedLockFs {
  private hold: Hold = { kind: 'none' }

  constructor(
    readonly lockPath: string,
    /** Milliseconds without a refresh after which a lock is stale. */
    private readonly stale: number,
    private readonly hasBirthTimes: boolean,
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

  /** Milliseconds since it was refreshed; infinite when it is not ours. */
  age(): number {
    return this.identity === null ? Infinity : lockAge(this.lockPath, this.identity)
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
      fs.renameSync(this.lockPath, aside)
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
      stat: fs.stat,
      utimes: (path: string, accessed: Date, modified: Date, done: Done) => {
        if (this.isOurs()) fs.utimes(path, accessed, modified, done)
        else process.nextTick(done, Object.assign(new Error('the lock is not ours'), { code: 'ENOENT' }))
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

  /** Both calls in one turn: what happened between them would give us the identity of another's lock. */
  private make(path: string): void {
    fs.mkdirSync(path, 0o700)
    const identity = lockIdentity(path, this.hasBirthTimes)
    if (identity !== null) this.hold = { kind: 'own', identity }
  }

  private remove(): void {
    if (this.hold.kind === 'none') this.takeAside((stat) => Number(stat.mtimeMs) < Date.now() - this.stale)
    else if (this.isOurs()) fs.rmdirSync(this.lockPath)
  }
}

function callBack(done: Done, work: () => void): void {
  let failure: NodeJS.ErrnoException | null = null
  try {
    work()
  } catch (error) {
    failure = error as NodeJS.ErrnoException
  }
  process.nextTick(done, failure)
}

import * as fs from 'node:fs'
import { randomUUID } from 'node:crypto'
import { isLock, lockIdentity, type LockIdentity } from './lock-identity.ts'

type Done = (error: NodeJS.ErrnoException | null) => void

/**
 * The file system as proper-lockfile is to see it, for one lock.
 *
 * The library removes the lock directory to release it and to take over a stale one, and in neither case looks whose it
 * is: a process that slept past `stale` removes its successor's lock, and of two that take over at once the slower
 * removes the lock of the faster. Here removing means:
 *
 * - release: only the directory that this process made, known by its identity; and nothing once the lock is given up, so
 *   that a process that dies of a doubt leaves the lock as it found it
 * - take-over: rename it aside under a unique name first. What was renamed cannot be taken by anybody else, so it can
 *   be looked at; when it turns out to be alive it is put back.
 *
 * A new object for each lock, since the library caches the precision of file times on it.
 */
export class OwnedLockFs {
  private own: LockIdentity | null = null

  constructor(
    private readonly lockPath: string,
    /** Milliseconds without a refresh after which a lock is dead. */
    private readonly stale: number,
    private readonly hasBirthTimes: boolean,
  ) {}

  /** The lock directory that this process made; null before, and after it was let go. */
  get identity(): LockIdentity | null {
    return this.own
  }

  /** True while the lock directory is the one that this process made. */
  isOurs(): boolean {
    return this.own !== null && isLock(this.lockPath, this.own)
  }

  /** Never touch the lock directory again, not even on exit. */
  abandon(): void {
    this.own = null
  }

  /**
   * Renames the lock directory aside and removes it if it is dead, else puts it back.
   * @param isDead judges the directory that was renamed, by its stat
   * @returns whether it was removed
   */
  takeAside(isDead: (stat: fs.BigIntStats) => boolean): boolean {
    const aside = `${this.lockPath}.stale-${randomUUID()}`
    try {
      fs.renameSync(this.lockPath, aside)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
      throw error
    }
    if (!isDead(fs.statSync(aside, { bigint: true }))) {
      fs.renameSync(aside, this.lockPath)
      return false
    }
    fs.rmdirSync(aside)
    return true
  }

  /** The functions that proper-lockfile calls. */
  forLibrary(): Record<string, unknown> {
    return {
      realpath: fs.realpath,
      stat: fs.stat,
      utimes: fs.utimes,
      mkdir: (path: string, done: Done) => {
        fs.mkdir(path, 0o700, (error) => {
          if (error === null) this.own = lockIdentity(path, this.hasBirthTimes)
          done(error)
        })
      },
      rmdir: (_path: string, done: Done) => {
        let failure: NodeJS.ErrnoException | null = null
        try {
          this.remove()
        } catch (error) {
          failure = error as NodeJS.ErrnoException
        }
        process.nextTick(done, failure)
      },
      rmdirSync: () => {
        this.remove()
      },
    }
  }

  private remove(): void {
    if (this.own === null) this.removeStale()
    else if (this.isOurs()) fs.rmdirSync(this.lockPath)
    this.own = null
  }

  private removeStale(): void {
    this.takeAside((stat) => Number(stat.mtimeMs) < Date.now() - this.stale)
  }
}

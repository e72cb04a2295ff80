import * as fs from 'node:fs'
import { randomUUID } from 'node:crypto'
import { isLock, lockAge, lockIdentity, type LockIdentity } from './lock-identity.ts'

type Done = (error: NodeJS.ErrnoException | null) => void

/** `none`: not taken by us; `own`: taken; `abandoned`: never to be touched again. */
type Hold =
  { readonly kind: 'none' } | { readonly kind: 'own'; readonly identity: LockIdentity } | { readonly kind: 'abandoned' }

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
  private hold: Hold = { kind: 'none' }

  constructor(
    private readonly lockPath: string,
    /** Milliseconds without a refresh after which a lock is dead. */
    private readonly stale: number,
    private readonly hasBirthTimes: boolean,
  ) {}

  /** The lock directory that this process made; null before, and after it was abandoned. */
  get identity(): LockIdentity | null {
    return this.hold.kind === 'own' ? this.hold.identity : null
  }

  /** True while the lock directory is the one that this process made. */
  isOurs(): boolean {
    return this.hold.kind === 'own' && isLock(this.lockPath, this.hold.identity)
  }

  /** Milliseconds since it was refreshed; infinite when it is not ours. */
  age(): number {
    return this.hold.kind === 'own' ? lockAge(this.lockPath, this.hold.identity) : Infinity
  }

  /** Never touch the lock directory again, not even on exit. */
  abandon(): void {
    this.hold = { kind: 'abandoned' }
  }

  /**
   * Renames the lock directory aside and removes it if it is dead, else puts it back.
   *
   * It is looked at before as well: whoever was told of a dead lock long ago must not move the live one of its successor.
   * For the moment in which that is aside a third can take the place, and where a put-back met it between its two calls, it
   * took the successor's lock for its own: two owners, in one of 100 rounds of eight processes on a busy machine.
   *
   * @param isDead judges the directory, by its stat: before it is renamed and after
   * @returns whether it is gone
   */
  takeAside(isDead: (stat: fs.BigIntStats) => boolean): boolean {
    const aside = `${this.lockPath}.stale-${randomUUID()}`
    try {
      if (!isDead(fs.statSync(this.lockPath, { bigint: true }))) return false
      fs.renameSync(this.lockPath, aside)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
      throw error
    }
    if (isDead(fs.statSync(aside, { bigint: true }))) {
      fs.rmdirSync(aside)
      return true
    }
    // A rename would replace what is there, and rob another of its lock: the one aside is lost to its owner, who will see it.
    if (fs.existsSync(this.lockPath)) fs.rmdirSync(aside)
    else fs.renameSync(aside, this.lockPath)
    return false
  }

  /**
   * Removes the directory that this process made and did not come to hold, since it was aside just then, if it was put back:
   * there is nobody who would refresh it, and all would have to wait until it is stale. Where the time of birth is not to be
   * had it may as well be that of another by now, and is left.
   */
  removePutBack(): void {
    if (this.hasBirthTimes && this.isOurs()) fs.rmdirSync(this.lockPath)
  }

  /** The functions that proper-lockfile calls. */
  forLibrary(): Record<string, unknown> {
    return {
      realpath: fs.realpath,
      stat: fs.stat,
      utimes: fs.utimes,
      mkdir: (path: string, done: Done) => {
        process.nextTick(
          done,
          attempt(() => {
            this.make(path)
          }),
        )
      },
      rmdir: (_path: string, done: Done) => {
        process.nextTick(
          done,
          attempt(() => {
            this.remove()
          }),
        )
      },
      rmdirSync: () => {
        this.remove()
      },
    }
  }

  /** In one go: whatever happened between the two calls would give us the identity of another's lock. */
  private make(path: string): void {
    fs.mkdirSync(path, 0o700)
    const identity = lockIdentity(path, this.hasBirthTimes)
    if (identity !== null) this.hold = { kind: 'own', identity }
  }

  private remove(): void {
    if (this.hold.kind === 'none') this.removeStale()
    else if (this.isOurs()) fs.rmdirSync(this.lockPath)
  }

  private removeStale(): void {
    this.takeAside((stat) => Number(stat.mtimeMs) < Date.now() - this.stale)
  }
}

function attempt(work: () => void): NodeJS.ErrnoException | null {
  try {
    work()
    return null
  } catch (error) {
    return error as NodeJS.ErrnoException
  }
}

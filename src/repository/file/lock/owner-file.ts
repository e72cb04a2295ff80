import { randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LockIdentity } from './lock-identity.ts'
import { isLockOf, type OwnerRecord, readOwnerRecord } from './owner-record.ts'

/** The file beside the lock that holds the record of its owner. */
export class OwnerFile {
  private readonly path: string

  constructor(private readonly directory: string) {
    this.path = join(directory, 'owner.json')
  }

  /** Null when there is none that can be read. */
  read(): OwnerRecord | null {
    return readOwnerRecord(this.path)
  }

  remove(): void {
    rmSync(this.path, { force: true })
  }

  /**
   * Writes the record of a process that made a lock directory.
   * @returns false, and leaves the file as it is, when another process took the very same directory for its own
   */
  claim(owner: OwnerRecord, lock: LockIdentity): boolean {
    // Without times of birth it may be the record of a dead owner, whose lock had the same inode number.
    return this.write(owner, lock, lock.birthtimeNs === null)
  }

  /** As `claim`, some time after it: the record of a process that holds no lock any more is overwritten. */
  claimAgain(owner: OwnerRecord, lock: LockIdentity): boolean {
    return this.read()?.token === owner.token || this.write(owner, lock, false)
  }

  /**
   * Of many processes that know that an owner is dead one gets its record: only that one may remove its lock, since the others must
   * not take the next lock for the dead one's.
   * @returns whether this process got it
   */
  take(owner: OwnerRecord): boolean {
    const aside = join(this.directory, `owner-${randomUUID()}`)
    try {
      renameSync(this.path, aside)
      if (readOwnerRecord(aside)?.token === owner.token) return true
      // A rename would replace the record that was written meanwhile.
      linkSync(aside, this.path)
      return false
    } catch {
      return false
    } finally {
      rmSync(aside, { force: true })
    }
  }

  /** By a rename: a contender must not read half a record. */
  private write(owner: OwnerRecord, lock: LockIdentity, isAnyReplaced: boolean): boolean {
    const scratch = this.makeScratch(lock)
    if (scratch === null) return false
    try {
      const found = this.read()
      if (!isAnyReplaced && found !== null && isLockOf(found, lock)) return false
      const file = join(scratch, 'owner.json')
      writeFileSync(file, `${JSON.stringify(owner, null, 2)}\n`, { mode: 0o600 })
      renameSync(file, this.path)
      return true
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
  }

  /**
   * Where the lock has a name of its own, so has the directory: of two processes that took the same lock for their own one looks
   * for a record and writes its own before the other looks.
   * @returns null when the other one is at it
   */
  private makeScratch({ inode, birthtimeNs }: LockIdentity): string | null {
    if (birthtimeNs === null) return mkdtempSync(join(this.directory, 'owner-'))
    const path = join(this.directory, `owner-${inode}-${birthtimeNs}`)
    try {
      mkdirSync(path, { mode: 0o700 })
      return path
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null
      throw error
    }
  }
}

import type { BigIntStats } from 'node:fs'
import { isSameIdentity, type LockIdentity } from './lock-identity.ts'

/** More of a gap between two looks does not count: this process may have been stopped, and the holder of the lock with it. */
const LONGEST_GAP_MS = 1_000

/** Milliseconds of the monotonic clock in which this process was awake: the longest gap between two readings is a second. */
export class WakingClock {
  private milliseconds = 0
  private last: number

  constructor(private readonly monotonic: () => number = () => performance.now()) {
    this.last = monotonic()
  }

  now(): number {
    const now = this.monotonic()
    this.milliseconds += Math.min(now - this.last, LONGEST_GAP_MS)
    this.last = now
    return this.milliseconds
  }
}

/** A lock directory as it was found: a refresh changes the time. */
interface Sighting {
  readonly identity: LockIdentity
  readonly mtimeNs: bigint
  readonly since: number
}

/**
 * How long a lock was seen unchanged by the one that waits for it. That it is stale is observed and never computed from its time of
 * modification: holder and contender may have different wall clocks, and each may be set at any moment.
 */
export class LockObservation {
  private first: Sighting | null = null

  constructor(
    private readonly clock: WakingClock,
    /** Milliseconds without a change after which a lock is stale. */
    private readonly enough: number,
  ) {}

  /** Takes note of the lock as it is now. @returns whether it is stale */
  see({ mtimeNs }: BigIntStats, identity: LockIdentity): boolean {
    const since = this.clock.now()
    if (!this.isUnchanged(mtimeNs, identity)) this.first = { identity, mtimeNs, since }
    return this.isStale({ mtimeNs }, identity)
  }

  /** Whether this is the lock that was seen for long enough, unchanged. */
  isStale({ mtimeNs }: Pick<BigIntStats, 'mtimeNs'>, identity: LockIdentity): boolean {
    if (this.first === null || !this.isUnchanged(mtimeNs, identity)) return false
    return this.clock.now() - this.first.since >= this.enough
  }

  private isUnchanged(mtimeNs: bigint, identity: LockIdentity): boolean {
    return this.first !== null && this.first.mtimeNs === mtimeNs && isSameIdentity(this.first.identity, identity)
  }
}

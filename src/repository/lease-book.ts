import type { ExpiredLease } from '../domain/operations/expire-leases.ts'
import type { MaybePromise } from './maybe-promise.ts'

/** The sign that a worker still runs an attempt. */
export interface Beat {
  readonly campaign_id: string
  readonly exp_id: string
  readonly attempt: number
  /** Undefined: the worker gave no name, and the attempt alone tells. */
  readonly worker?: string | undefined
}

/** A lease that is alive. */
export interface LiveLease {
  readonly attempt: number
  /** For how many seconds it lives without a sign of its worker. */
  readonly seconds: number
  /** Seconds since the worker was last seen. */
  readonly idle_seconds: number
  /** The worker is to stop, since the campaign was paused. */
  readonly cancel: boolean
}

/** Leases of one campaign that ran out. */
export interface ExpiredLeases {
  readonly campaign_id: string
  readonly leases: readonly ExpiredLease[]
}

/**
 * Who was last seen when. What is committed decides which leases there are; the book only knows how fresh they are. A lease
 * that is committed begins with a full period, and so does every one at a start: nobody could be heard before. Time is that of
 * a clock that never jumps.
 */
export interface LeaseBook {
  /** How many leases are alive, as far as this process knows. */
  readonly live: number

  /**
   * Begins the period of leases anew.
   * @returns for each beat its lease, null when there is none of that attempt and worker
   */
  renew(beats: readonly Beat[]): MaybePromise<readonly (LiveLease | null)[]>

  /** The live leases of these experiments, by `exp_id`; none for those that have none. */
  look(campaignId: string, expIds: readonly string[]): MaybePromise<ReadonlyMap<string, LiveLease>>

  /** Takes out what has run out: from then on no beat finds it. Of several processes one gets each. */
  takeExpired(): MaybePromise<readonly ExpiredLeases[]>

  /** Puts back what was taken and could not be ended, as old as it was, unless something newer was committed meanwhile. */
  putBack(expired: ExpiredLeases): MaybePromise<void>
}

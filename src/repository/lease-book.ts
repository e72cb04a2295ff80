import type { RunProgress } from '../domain/experiment/run-progress.ts'
import type { ExpiredLeases } from '../domain/operations/expire-leases.ts'
import type { MaybePromise } from './maybe-promise.ts'

/** A sign that a worker still runs an attempt. */
export interface Beat {
  readonly campaign_id: string
  readonly exp_id: string
  /** By which the run is named; what is given must agree. */
  readonly run_id?: string | undefined
  readonly attempt?: number | undefined
  readonly worker?: string | undefined
  /** What it tells of the run: left out, what was told last stays; null clears it. */
  readonly progress?: number | null | undefined
  readonly note?: string | null | undefined
}

/** A lease that is alive. */
export interface LiveLease {
  readonly attempt: number
  /** How long it lives without a beat. */
  readonly seconds: number
  readonly idle_seconds: number
  /** Whether there was a beat since it began. */
  readonly heard: boolean
  /** The worker is to stop, since the campaign was paused. */
  readonly cancel: boolean
  /** What the beats of the attempt told last. */
  readonly latest: RunProgress
}

/**
 * Who was last seen when. The commits decide which leases there are; the book only knows how fresh they are. A lease begins with a
 * full period when it is committed and at each start, before which no beat could arrive. Its clock never jumps. What beats tell of
 * a run is kept with its lease and goes with it: a new attempt and a new process begin with nothing.
 */
export interface LeaseBook {
  /** How many leases are alive, as far as this process knows. */
  readonly live: number

  /**
   * Restarts the period of leases.
   * @returns for each beat its lease, null when there is none of that run
   */
  renew(beats: readonly Beat[]): MaybePromise<readonly (LiveLease | null)[]>

  /** The live leases of these experiments, by `exp_id`. */
  look(campaignId: string, expIds: readonly string[]): MaybePromise<ReadonlyMap<string, LiveLease>>

  /**
   * Calls the listener with the `exp_id` of each lease of the campaign of which a beat told something new. What that is, `look` says.
   * @returns ends it
   */
  watch(campaignId: string, onNews: (expId: string) => void): () => void

  /**
   * Takes the expired leases: from then on no beat finds them. Of several processes one gets each.
   * @param onTaken is told those of each campaign at once, and not when those of all are taken
   */
  takeExpired(onTaken: (expired: ExpiredLeases) => void): MaybePromise<void>

  /** Returns what was taken and could not be ended, as old as it was then, unless a newer lease was committed meanwhile. */
  putBack(expired: ExpiredLeases): MaybePromise<void>
}

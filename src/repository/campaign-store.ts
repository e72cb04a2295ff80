import type { Campaign, Decide } from '../domain/campaign/campaign.ts'
import type { CampaignManifest } from '../domain/campaign/manifest.ts'
import type { Experiment } from '../domain/experiment/experiment.ts'
import type { CampaignPage, CampaignQuery } from '../domain/views/campaign-list.ts'
import type { CampaignOverview, CorruptOverview } from '../domain/views/campaign-overview.ts'
import type { LeaseBook } from './lease-book.ts'

/** The bytes of a manifest as the store keeps them. */
export interface EncodedManifest {
  /** All of them. */
  readonly whole: Buffer
  /** Those of the experiments at the positions, ascending: what stands between the brackets of a JSON list. */
  list(positions: readonly number[]): readonly Uint8Array[]
}

/** A durable state of a campaign. */
export interface Committed {
  readonly campaign: Campaign
  /** Null where the store does not keep the bytes of the manifest. */
  readonly encoded: EncodedManifest | null
}

/** What became durable: one change a commit, which may hold several revisions. */
export type CampaignChange =
  /** Also for a campaign that was found in the store, put there by hand. */
  | { readonly type: 'created'; readonly campaign: Campaign }
  | {
      readonly type: 'changed'
      readonly campaign: Campaign
      /** The revision of the change before it. */
      readonly previous_revision: number
      /** What changed or was added, as it is now, in the order of the last changes. */
      readonly experiments: readonly Experiment[]
    }
  | { readonly type: 'deleted'; readonly campaign_id: string }
  /** What is stored of it was found not to be trusted any more. */
  | { readonly type: 'corrupted'; readonly campaign_id: string }

/** The same in short, for those who follow all campaigns. */
export type OverviewChange =
  | { readonly type: 'created'; readonly overview: CampaignOverview }
  | { readonly type: 'changed'; readonly overview: CampaignOverview; readonly previous_revision: number }
  | { readonly type: 'deleted' | 'corrupted'; readonly campaign_id: string }

export type Unsubscribe = () => void

export interface DeleteOptions {
  /** Throws to refuse; judged on the newest state. What is corrupt cannot be judged. */
  readonly permit: (campaign: Campaign) => void
  /** Moves a corrupt campaign aside, which is refused with `campaign-corrupt` otherwise. */
  readonly force: boolean
}

/** Whether writes can be taken now; a sentence that says why not otherwise. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string }

/**
 * Keeps campaigns durably: the log that orders their commits. Whatever a promise here resolves or rejects with was judged on a
 * state that is durable by then; nothing that is not durable is ever seen.
 *
 * Every call may reject with `store-unavailable` (nothing was changed), `store-full` (likewise, no room) or
 * `durability-unknown` (the change may or may not be there: ask again); those that name a campaign with
 * `campaign-not-found` or `campaign-corrupt`.
 */
export interface CampaignStore {
  /** @throws RepositoryError `campaign-exists` */
  create(manifest: CampaignManifest): Promise<Committed>

  /** The newest state at some moment after the call began, whichever process committed it. */
  read(id: string): Promise<Committed>

  /**
   * Decides on the newest state and makes the change durable.
   * @param decide it may be called again when what it was judged on did not become durable. What it throws is passed on
   * @returns what was decided, once that is durable
   */
  update<T>(id: string, decide: Decide<T>): Promise<T>

  /** Makes it durable that the campaign is gone; its id is free then. */
  delete(id: string, options: DeleteOptions): Promise<void>

  /** One page of the campaigns that match, in the domain's order. */
  list(query: CampaignQuery): Promise<CampaignPage>

  /** Every campaign in short, in no order; cheap enough to be asked every few seconds. */
  overviews(): Promise<readonly (CampaignOverview | CorruptOverview)[]>

  /** Calls the listener for each change of the campaign, in order, after it is durable. */
  watch(id: string, listener: (change: CampaignChange) => void): Unsubscribe

  /** Calls the listener for each change of any campaign, in the order of each, after it is durable. */
  watchAll(listener: (change: OverviewChange) => void): Unsubscribe

  /** How fresh the leases are that are committed. */
  readonly leases: LeaseBook

  readiness(): Readiness

  /** Finishes what was taken, then lets go of the store. */
  close(): Promise<void>
}

import type { Campaign, Decide } from '../domain/campaign/campaign.ts'
import type { CampaignManifest } from '../domain/campaign/manifest.ts'
import type { Experiment } from '../domain/experiment/experiment.ts'
import type { CampaignPage, CampaignQuery } from '../domain/views/campaign-list.ts'
import type { CampaignOverview, CorruptOverview } from '../domain/views/campaign-overview.ts'
import type { LeaseBook } from './lease-book.ts'

/** The bytes of a manifest as the store keeps them. */
export interface EncodedManifest {
  /** In order. Not in one piece: a large manifest would be in memory once more. */
  readonly parts: readonly Uint8Array[]
  /** Of the experiments at the positions, ascending: the items of a JSON list without its brackets. */
  list(positions: readonly number[]): readonly Uint8Array[]
  /** Of one experiment: its JSON. */
  experiment(position: number): Uint8Array
  /** How many bytes that is. */
  sizeOf(position: number): number
}

/** A durable state. */
export interface Committed {
  readonly campaign: Campaign
  /** Null where the store does not keep the bytes of the manifest. */
  readonly encoded: EncodedManifest | null
}

/** What became durable: one change a commit, which may hold several revisions. */
export type CampaignChange =
  /** Also for one that was put into the store by hand. */
  | ({ readonly type: 'created' } & Committed)
  | ({
      readonly type: 'changed'
      /** The revision of the change before it. */
      readonly previous_revision: number
      /** Those that changed or are new, as they are now, in the order of their last changes. */
      readonly experiments: readonly Experiment[]
      /** How many were cut to make room, by the changes of this process. */
      readonly shrunk: number
    } & Committed)
  | { readonly type: 'deleted'; readonly campaign_id: string }
  | { readonly type: 'corrupted'; readonly campaign_id: string }

/** The same in short, for listeners to all campaigns. */
export type OverviewChange =
  | { readonly type: 'created'; readonly overview: CampaignOverview }
  | { readonly type: 'changed'; readonly overview: CampaignOverview; readonly previous_revision: number }
  | { readonly type: 'deleted' | 'corrupted'; readonly campaign_id: string }

export type Unsubscribe = () => void

export interface DeleteOptions {
  /** Throws to refuse, on the newest state. A corrupt campaign is not checked. */
  readonly permit: (campaign: Campaign) => void
  /** Moves a corrupt campaign aside; otherwise it is refused with `campaign-corrupt`. */
  readonly force: boolean
}

/** Whether a commit could be made now, or why not and what to do: the end of a sentence. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string }

/**
 * Keeps campaigns durably: orders their commits. What a promise here resolves or rejects with was decided on a state
 * that is durable then; nothing else is ever seen.
 *
 * Every call may reject with `store-unavailable` (nothing was changed), `store-full` (likewise, no room) or
 * `durability-unknown` (the change may or may not be there: repeat the call); those that name a campaign with
 * `campaign-not-found` or `campaign-corrupt`.
 */
export interface CampaignStore {
  /** @throws RepositoryError `campaign-exists`; DomainError `campaign-full` */
  create(manifest: CampaignManifest): Promise<Committed>

  /** The newest state at some moment after the call began, whichever process committed it. */
  read(id: string): Promise<Committed>

  /**
   * Decides on the newest state and makes the change durable.
   * @param decide is called again when the state that it saw did not become durable. What it throws is passed on
   * @returns what was decided, once that is durable
   */
  update<T>(id: string, decide: Decide<T>): Promise<T>

  /** Makes it durable that the campaign is gone; its id is free then. */
  delete(id: string, options: DeleteOptions): Promise<void>

  /** One page of the campaigns that match, in the domain's order. */
  list(query: CampaignQuery): Promise<CampaignPage>

  /** Every campaign in short, in no order; cheap enough to be called every few seconds. */
  overviews(): Promise<readonly (CampaignOverview | CorruptOverview)[]>

  /** Calls the listener for each change of the campaign, in order, after it is durable. */
  watch(id: string, listener: (change: CampaignChange) => void): Unsubscribe

  /** Calls the listener for each change of any campaign, in the order of each, after it is durable. */
  watchAll(listener: (change: OverviewChange) => void): Unsubscribe

  readonly leases: LeaseBook

  /** By evidence: it may try the disk. */
  readiness(): Promise<Readiness>

  /** Finishes the accepted calls, then releases the store. */
  close(): Promise<void>
}

import type { Campaign, Decision } from '../domain/campaign/campaign.ts'
import type { CampaignPage, CampaignQuery } from '../domain/views/campaign-list.ts'
import type { CampaignOverview } from '../domain/views/campaign-overview.ts'
import type { Experiment } from '../domain/experiment/experiment.ts'
import type { CampaignManifest } from '../domain/campaign/manifest.ts'

export type RepositoryErrorCode =
  | 'campaign-not-found'
  | 'campaign-exists'
  | 'campaign-corrupt'
  | 'store-unavailable'
  | 'store-full'
  | 'durability-unknown'

/** Why the store did not do what it was asked; like a domain error it knows no HTTP. */
export class RepositoryError extends Error {
  override readonly name = 'RepositoryError'

  constructor(
    readonly code: RepositoryErrorCode,
    detail: string,
    options?: ErrorOptions,
  ) {
    super(detail, options)
  }

  get facts(): Readonly<Record<string, unknown>> {
    return {}
  }
}

/** The committed manifest as it is written. */
export interface ManifestDocument {
  readonly campaign: Campaign
  readonly bytes: {
    /** All of them. */
    readonly whole: Buffer
    /** Those of the experiments at the positions, ascending: what stands between the brackets of a JSON list. */
    list(positions: readonly number[]): readonly Uint8Array[]
  }
}

/** What became durable: one event a commit, which may hold several revisions. A campaign put there by hand is created. */
export type CampaignChange =
  | { readonly type: 'created'; readonly campaign: Campaign }
  | {
      readonly type: 'changed'
      readonly previous: Campaign
      readonly campaign: Campaign
      /** What changed or was added, as it is now, in the order of the last changes. */
      readonly experiments: readonly Experiment[]
    }
  | { readonly type: 'deleted'; readonly campaign_id: string }
  /** Its file was found to be one that cannot be trusted any more. */
  | { readonly type: 'corrupted'; readonly campaign_id: string }

export type Unsubscribe = () => void

/**
 * - `durable`: done
 * - `refused`: what is there is not what it was to follow on. Nothing was changed
 * - `full`, `failed`: the store could not write it: for lack of room, or otherwise. Nothing was changed
 * - `lock_lost`: somebody else owns the store. Nothing was changed
 * - `unknown`: it may or may not be there
 */
export const COMMIT_OUTCOMES = ['durable', 'refused', 'full', 'failed', 'lock_lost', 'unknown'] as const

/** How one commit went, by which a campaign was to be created, changed or deleted. */
export interface CommitReport {
  readonly outcome: (typeof COMMIT_OUTCOMES)[number]
  /** From when it was begun until its outcome was known, waiting for the commits of other campaigns included. */
  readonly seconds: number
  /** How many calls share it. */
  readonly calls: number
  /** What was to be written. */
  readonly bytes: number
}

/**
 * Keeps campaigns durably. Whatever a promise here resolves or rejects with was judged on a state that is durable by
 * then; nothing that is not durable is ever seen.
 *
 * Every call may reject with `store-unavailable` (nothing was changed), `store-full` (likewise, no room) or
 * `durability-unknown` (the change may or may not be there: ask again); those that name a campaign with
 * `campaign-not-found` or `campaign-corrupt`.
 */
export interface CampaignStore {
  /** @throws RepositoryError `campaign-exists` */
  create(manifest: CampaignManifest): Promise<Campaign>

  read(id: string): Promise<Campaign>

  readDocument(id: string): Promise<ManifestDocument>

  list(query: CampaignQuery): Promise<CampaignPage>

  /** Where every campaign stands, in no order; cheap enough to be asked every few seconds. */
  overviews(): Promise<readonly CampaignOverview[]>

  /**
   * Decides on the newest state and makes the change durable.
   * @param decide pure and synchronous; it may be called again when what it was judged on did not become durable.
   *   What it throws is passed on
   */
  update<T>(id: string, decide: (campaign: Campaign) => Decision<T>): Promise<T>

  /**
   * @param permit throws to refuse, judged on the newest state. A corrupt campaign cannot be judged: it is refused
   *   with `campaign-corrupt`, or with `force` moved aside
   */
  delete(id: string, options: { readonly permit: (campaign: Campaign) => void; readonly force: boolean }): Promise<void>

  /** Calls the listener for each commit, in order, after it is durable. */
  subscribe(listener: (event: CampaignChange) => void): Unsubscribe

  /** Whether writes can be taken now; a sentence that says why not otherwise. */
  readiness(): { readonly ready: true } | { readonly ready: false; readonly reason: string }

  /** Finishes what was taken, then lets go of the store. */
  close(): Promise<void>
}

import type { Campaign, Decide } from '../../domain/campaign/campaign.ts'
import type { CampaignChange, Committed } from '../campaign-store.ts'
import type { RepositoryError } from '../repository-error.ts'

/**
 * One campaign and the order of its commits. While one batch is committed the next one is collected, each call decided at once on
 * the newest state. A call is answered when that state is durable, also when it changed nothing or was refused: so nothing that
 * could still vanish is published.
 */
export interface GroupCommit<State extends Committed = Committed> {
  /** The durable state. */
  readonly committed: State

  /**
   * Decides on the newest state, and resolves with the result, or rejects with the refusal, once that state is durable.
   * When a commit fails, its changes reject with the error of the store; what changed nothing is decided again.
   */
  update<T>(decide: Decide<T>): Promise<T>

  /** Removes the campaign, unless `permit` throws on the durable state. */
  remove(permit: (campaign: Campaign) => void): Promise<void>

  /** Rejects all calls from now on, and all that wait; those that are being committed with `committing`, if given. */
  end(error: RepositoryError, committing?: RepositoryError): void

  /** Resolves when nothing is being committed or waits for it. */
  idle(): Promise<void>
}

/** What a group commit reports to the store that keeps it. */
export interface GroupCommitEvents {
  /** A change is durable, this process's own or another's that it found. */
  readonly onChange: (change: CampaignChange) => void
  /** The campaign is removed; the group commit ends itself. Comes before `onChange`. */
  readonly onRemoved: () => void
  /** What is stored is not what was committed last, and must not be written any more. The store calls `end`. */
  readonly onQuarantined: (reason: string) => void
  /** This process may not answer for the campaign any more. The store calls `end`. */
  readonly onLost: () => void
  /** What is durable cannot be known any more. The store calls `end`. */
  readonly onInDoubt: (reason: Error) => void
}

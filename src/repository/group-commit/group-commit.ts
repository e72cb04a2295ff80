import type { Campaign, Decide } from '../../domain/campaign/campaign.ts'
import type { CampaignChange, Committed } from '../campaign-store.ts'
import type { RepositoryError } from '../repository-error.ts'

/**
 * One campaign and the order of its commits. While one batch is being committed the next one gathers, each call decided at once
 * on the newest state. A call is answered when what it was decided on is durable, also when it changed nothing or was refused:
 * nothing that could still vanish is ever told.
 */
export interface GroupCommit<State extends Committed = Committed> {
  /** The durable state. */
  readonly committed: State

  /**
   * Decides on the newest state, and resolves with what was decided, or rejects with the refusal, once that state is durable.
   * When a commit fails, its changes reject with the error of the store; what changed nothing is decided again.
   */
  update<T>(decide: Decide<T>): Promise<T>

  /** Removes the campaign, once `permit` does not throw on the durable state. */
  remove(permit: (campaign: Campaign) => void): Promise<void>

  /** Rejects all calls from now on, and all that wait; those that are being committed with `committing`, if given. */
  end(error: RepositoryError, committing?: RepositoryError): void

  /** Resolves when nothing is being committed or waits for it. */
  idle(): Promise<void>
}

/** What a group commit tells the store that keeps it. */
export interface GroupCommitEvents {
  /** A change is durable, this process's own or another's that it found. */
  readonly onChange: (change: CampaignChange) => void
  /** The campaign is removed: there is nothing to keep any more. Told before `onChange` tells of it. */
  readonly onRemoved: () => void
  /** What is stored is not what was committed last: it must not be written any more. */
  readonly onQuarantined: (reason: string) => void
  /** This process may not answer for the campaign any more. */
  readonly onLost: () => void
  /** What is durable cannot be told any more. */
  readonly onInDoubt: (reason: Error) => void
}

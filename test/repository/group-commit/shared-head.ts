import { setImmediate as turn } from 'node:timers/promises'
import { Campaign } from '#campaignd/domain/campaign/campaign.js'
import type { Committed } from '#campaignd/repository/campaign-store.js'
import type { Commit, CommitFailure, CommitOutcome, CommitTarget } from '#campaignd/repository/commit-target.js'
import { decided, newManifest, NOW, report } from '../../support/campaigns/decisions.js'

/** A commit target in memory that several processes share: it takes a commit only on top of its head. */
export class SharedHead implements CommitTarget<Committed> {
  head: Committed = { campaign: Campaign.of(newManifest('sweep', 3)), encoded: null }
  /** How the next commits fail. */
  readonly failures: CommitFailure<Committed>[] = []
  confirmations = 0
  /** What happens during the next call. */
  meanwhile: () => void = () => undefined

  async commit(base: Committed, { campaign }: Commit): Promise<CommitOutcome<Committed>> {
    await this.pass()
    const failure = this.failures.shift() ?? this.failureOn(base)
    if (failure !== null) return failure
    this.head = { campaign, encoded: null }
    return { kind: 'durable', committed: this.head, milliseconds: 0 }
  }

  async remove(base: Committed): Promise<{ kind: 'removed' } | CommitFailure<Committed>> {
    await this.pass()
    return this.failureOn(base) ?? { kind: 'removed' }
  }

  async confirm(base: Committed): Promise<'newest' | Committed> {
    this.confirmations += 1
    const found = this.head === base ? 'newest' : this.head
    await this.pass()
    return found
  }

  /** As another process commits it. */
  change = (decide = report('0003', 'of another')): void => {
    const { changes } = decided(decide, this.head.campaign, NOW)
    if (changes !== null) this.head = { campaign: this.head.campaign.with(changes), encoded: null }
  }

  private failureOn(base: Committed): CommitFailure<Committed> | null {
    return this.head === base ? null : { kind: 'superseded', head: this.head }
  }

  private async pass(): Promise<void> {
    this.meanwhile()
    this.meanwhile = () => undefined
    await turn()
  }
}

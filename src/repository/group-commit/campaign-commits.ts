import type { Campaign, Decide } from '../../domain/campaign/campaign.ts'
import { changesSince } from '../../domain/views/changes-since.ts'
import type { Committed } from '../campaign-store.ts'
import type { Commit, CommitFailure, CommitOutcome, CommitTarget } from '../commit-target.ts'
import { type MaybePromise, whenThere } from '../maybe-promise.ts'
import { notFound, outcomeUnknown, type RepositoryError } from '../repository-error.ts'
import type { GroupCommit, GroupCommitEvents } from './group-commit.ts'
import { GroupCommitTimer } from './group-commit-timer.ts'
import { PendingCalls } from './pending-calls.ts'
import { UndecidedCalls, type UndecidedCallsOptions } from './undecided-calls.ts'
import { removalCall, UpdateCall, type WaitingCall } from './update-call.ts'
import { WriteBatch } from './write-batch.ts'

type Durable<State extends Committed> = Extract<CommitOutcome<State>, { kind: 'durable' }>

export interface CampaignCommitsOptions<State extends Committed> extends Pick<
  UndecidedCallsOptions,
  'now' | 'stopping'
> {
  /** The durable state to begin with. */
  readonly committed: State
  readonly target: CommitTarget<State>
  readonly events: GroupCommitEvents
}

/** The group commit of one campaign, into any target. */
export class CampaignCommits<State extends Committed> implements GroupCommit<State> {
  private state: State
  private readonly undecided: UndecidedCalls
  private readonly pending = new PendingCalls()
  private removals: WaitingCall[] = []
  private readonly timer = new GroupCommitTimer()
  private scheduled = false
  private busy = false
  /** Why no call is accepted any more. */
  private ended: RepositoryError | null = null
  private onIdle: (() => void)[] = []

  constructor(private readonly options: CampaignCommitsOptions<State>) {
    this.state = options.committed
    const newest = () => this.pending.newest(this.state.campaign)
    this.undecided = new UndecidedCalls({ ...options, newest, onDecided: this.onDecided.bind(this) })
  }

  get committed(): State {
    return this.state
  }

  update<T>(decide: Decide<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => this.admit(new UpdateCall(decide, resolve, reject)))
  }

  remove(permit: (campaign: Campaign) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.ended !== null) {
        reject(this.ended)
        return
      }
      this.removals.push(removalCall(permit, resolve, reject))
      this.begin()
    })
  }

  end(error: RepositoryError, committing: RepositoryError = error): void {
    if (this.ended !== null) return
    this.ended = error
    this.pending.failAll(error, committing)
    this.undecided.failAll(error)
    for (const removal of this.removals.splice(0)) removal.fail(error)
    this.tellIdle()
  }

  async idle(): Promise<void> {
    while (this.busy || this.scheduled || !this.undecided.isEmpty)
      await new Promise<void>((resolve) => this.onIdle.push(resolve))
  }

  private tellIdle(): void {
    for (const resolve of this.onIdle.splice(0)) resolve()
  }

  private admit(call: WaitingCall): void {
    if (this.ended === null) this.undecided.add(call)
    else call.fail(this.ended)
  }

  private onDecided(call: WaitingCall, newest: Campaign): void {
    this.pending.add(call, newest)
    this.timer.onCall(this.pending.waiting)
    this.begin()
  }

  /** At once when enough calls wait, else at the end of this turn of the event loop: what arrives in it shares the commit. */
  private begin(): void {
    if (this.busy) return
    if (this.pending.waiting >= this.timer.minimumBatch) void this.work()
    else if (!this.scheduled) {
      this.scheduled = true
      setImmediate(() => {
        this.scheduled = false
        void this.work()
      })
    }
  }

  private async work(): Promise<void> {
    if (this.busy) return
    this.busy = true
    for (;;) {
      const answered = this.answerUnchanged()
      if (answered instanceof Promise) await answered
      if (this.isToWait) await this.timer.waitForMore(() => this.pending.waiting)
      const next = this.takeNext()
      if (next instanceof WriteBatch) await this.commit(next)
      else if (next !== null) await this.tryRemoval(next)
      // In the turn of this check: a call that came before it has seen that this is busy, and depends on it.
      else if (!this.pending.hasUnchanged) break
    }
    this.busy = false
    this.tellIdle()
  }

  private takeNext(): WaitingCall | WriteBatch | null {
    if (this.ended !== null) return null
    return this.removals.shift() ?? this.pending.takeBatch()
  }

  private get isToWait(): boolean {
    return this.removals.length === 0 && this.pending.waiting > 0 && this.timer.isWaitWorthwhile
  }

  private async commit(batch: WriteBatch): Promise<void> {
    // mutation: answer-before-rename
    const next = batch.toCommit()
    const outcome = await this.options.target.commit(this.state, next)
    // Before the answers: what waits at the end of the turn is committed before they are sent, so that the disk works meanwhile.
    const turn = endOfTurn()
    if (this.ended !== null) return
    if (outcome.kind === 'durable') this.publish(batch, next, outcome)
    else if (outcome.kind === 'refused') this.admitAgain(batch.failChanges(outcome.error))
    else this.recover(outcome, batch.waiting)
    const answered = this.answerUnchanged()
    if (answered instanceof Promise) await answered
    if (this.pending.waiting < this.timer.minimumBatch) await turn
  }

  private publish(batch: WriteBatch, { calls }: Commit, { committed, milliseconds }: Durable<State>): void {
    const previous_revision = this.state.campaign.header.revision
    this.state = committed
    const { waiting } = this.pending
    this.timer.onCommitted({ answered: batch.waiting.length, waiting, took: milliseconds })
    batch.answer(calls)
    this.pending.onDurable(batch, calls)
    const { experiments, shrunk } = batch
    const { campaign, encoded } = committed
    this.options.events.onChange({ type: 'changed', campaign, encoded, previous_revision, experiments, shrunk })
  }

  /** Answers what was decided on the durable state, once that is confirmed to be still the newest one. */
  private answerUnchanged(): MaybePromise<void> {
    // A call that comes later is decided after this confirmation is asked for, and needs its own.
    const calls = this.pending.takeUnchanged()
    if (calls.length === 0) return
    return whenThere(this.options.target.confirm(this.state), (found) => {
      if (found === 'lost') this.options.events.onLost()
      if (this.ended !== null || found === 'lost') for (const call of calls) call.fail(this.ended)
      else if (found === 'newest') for (const call of calls) call.answer()
      else this.adopt(found, calls)
    })
  }

  private async tryRemoval(removal: WaitingCall): Promise<void> {
    const { target, events } = this.options
    const { campaign } = this.state
    await removal.decide(campaign, campaign.header.updated_at)
    if (removal.decision === null) {
      await this.refuseRemoval(removal)
      return
    }
    const outcome = await target.remove(this.state)
    if (this.ended !== null || outcome.kind === 'in-doubt') {
      removal.fail(outcomeUnknown('the store failed while the campaign was being deleted'))
      if (outcome.kind === 'in-doubt') events.onInDoubt(outcome.reason)
    } else if (outcome.kind === 'removed') {
      this.onGone()
      removal.answer()
    } else if (outcome.kind === 'refused') removal.fail(outcome.error)
    else {
      // It fails with what ends the calls, or is decided again on what another process committed.
      this.removals.unshift(removal)
      this.recover(outcome, [])
    }
  }

  /** Refuses a removal, once the state that it was decided on is confirmed to be still the newest. */
  private async refuseRemoval(removal: WaitingCall): Promise<void> {
    const found = await this.options.target.confirm(this.state)
    if (found === 'lost') this.options.events.onLost()
    if (this.ended !== null || found === 'lost') removal.fail(this.ended)
    else if (found === 'newest') removal.answer()
    else {
      this.removals.unshift(removal)
      this.adopt(found, [])
    }
  }

  private recover(failure: Exclude<CommitFailure<State>, { kind: 'refused' }>, calls: readonly WaitingCall[]): void {
    const { events } = this.options
    switch (failure.kind) {
      case 'superseded':
        this.adopt(failure.head, calls)
        break
      case 'gone':
        this.onGone()
        break
      case 'quarantined':
        events.onQuarantined(failure.reason)
        break
      case 'in-doubt':
        events.onInDoubt(failure.reason)
        break
    }
  }

  /** Continues from a state that another process committed, and publishes it first: all that waits is decided again on it. */
  private adopt(head: State, calls: readonly WaitingCall[]): void {
    const previous_revision = this.state.campaign.header.revision
    this.state = head
    const { campaign, encoded } = head
    const experiments = changesSince(campaign, previous_revision) ?? []
    this.options.events.onChange({ type: 'changed', campaign, encoded, previous_revision, experiments, shrunk: 0 })
    this.admitAgain([...calls, ...this.pending.takeUnchanged()])
  }

  /** Decides calls again, and those that were decided on top of them. */
  private admitAgain(calls: readonly WaitingCall[]): void {
    for (const call of [...calls, ...this.pending.takeOutdated()]) this.admit(call)
  }

  /** The campaign is gone. */
  private onGone(): void {
    const { campaign_id } = this.state.campaign.header
    this.options.events.onRemoved()
    this.end(notFound(campaign_id))
    this.options.events.onChange({ type: 'deleted', campaign_id })
  }
}

/** When all is handled that this turn of the event loop brought, and nothing is sent yet that was made ready in it. */
const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

import type { Campaign, Decision } from '../../domain/campaign/campaign.ts'
import type { Experiment } from '../../domain/experiment/experiment.ts'
import type { Commit } from '../commit-target.ts'
import type { WaitingCall } from './update-call.ts'

/** What shares one commit: changes on top of each other, and the calls that are answered once it is durable. */
export class WriteBatch {
  /** JSON of the experiments that changed, by position, in the order of their last changes. */
  private lines = new Map<number, string>()
  private readonly calls: WaitingCall[] = []
  private committed: readonly Experiment[] = []
  private cut = 0

  /** @param newest what the first change is made on */
  constructor(private newest: Campaign) {}

  /** The campaign with all changes of the batch. */
  get campaign(): Campaign {
    return this.newest
  }

  get waiting(): readonly WaitingCall[] {
    return this.calls
  }

  /** The experiments that changed, as they are committed, in the order of their last changes. */
  get experiments(): readonly Experiment[] {
    return this.committed
  }

  /** How many experiments were cut to make room. */
  get shrunk(): number {
    return this.cut
  }

  /** Adds a decided call. @throws what the encoder throws; the batch is then as it was */
  add(call: WaitingCall): void {
    if (call.decision !== null) this.apply(call.decision)
    this.calls.push(call)
  }

  /**
   * What is to be committed; after it nothing more is changed. What changed is listed here and not once it is durable: of 100,000
   * experiments much else is done in that turn.
   */
  toCommit(): Commit {
    this.committed = Array.from(this.lines.keys(), (position) => this.newest.experiments.at(position))
    return { campaign: this.newest, lines: this.lines, calls: this.calls.length }
  }

  /** Answers every call, or those before an index, in the order in which they were decided. */
  answer(end = this.calls.length): void {
    for (const call of this.calls.slice(0, end)) call.answer()
  }

  failAll(error: unknown): void {
    for (const call of this.calls) call.fail(error)
  }

  /**
   * Fails the calls whose changes did not become durable.
   * @returns those that changed nothing: they have to be decided again, since the state that they saw is gone
   */
  failChanges(error: unknown): WaitingCall[] {
    for (const call of this.calls) if (hasChanges(call)) call.fail(error)
    return this.calls.filter((call) => !hasChanges(call))
  }

  /** Encodes now and not with the commit: what cannot be encoded fails its own call and no other. */
  private apply({ changes, next }: Decision<unknown>): void {
    if (changes === null) return
    const { campaign, lines, shrunk } = next ?? this.newest.revise(changes)
    // Of 100,000 a copy would hold the event loop: they are nobody else's.
    if (this.lines.size === 0) this.lines = lines
    else this.addLines(lines)
    this.newest = campaign
    this.cut += shrunk
  }

  private addLines(lines: ReadonlyMap<number, string>): void {
    for (const [position, line] of lines) {
      // Removed first, so that the position moves to the end.
      this.lines.delete(position)
      this.lines.set(position, line)
    }
  }
}

/** Whether the call, which is decided, changes the campaign. */
export function hasChanges({ decision }: WaitingCall): boolean {
  return decision !== null && decision.changes !== null
}

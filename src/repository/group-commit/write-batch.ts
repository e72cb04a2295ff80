import type { Campaign, Changes, Decision } from '../../domain/campaign/campaign.ts'
import type { Experiment } from '../../domain/experiment/experiment.ts'
import type { Commit } from '../commit-target.ts'
import type { WaitingCall } from './update-call.ts'

/** What shares one commit: changes on top of each other, and the calls to be answered once it is durable. */
export class WriteBatch {
  /** JSON of the experiments that changed, by position; the one that changed last is the last one. */
  private readonly lines = new Map<number, string>()
  private readonly calls: WaitingCall[] = []

  /** @param newest what the first change is made on */
  constructor(private newest: Campaign) {}

  /** The campaign with all changes of the batch. */
  get campaign(): Campaign {
    return this.newest
  }

  /** How many calls it answers. */
  get size(): number {
    return this.calls.length
  }

  /** The experiments that changed, as they are now: the one that changed last is the last one. */
  get experiments(): readonly Experiment[] {
    return Array.from(this.lines.keys(), (position) => this.newest.experiments.at(position))
  }

  get waiting(): readonly WaitingCall[] {
    return this.calls
  }

  /** Takes a decided call in: the changes that it decided, if any, and the duty to answer it. */
  add(call: WaitingCall): void {
    const { decision } = call
    if (decision !== null && decision.changes !== null) this.apply(decision.changes, decision)
    this.calls.push(call)
  }

  /** What is to be committed, as it is now. */
  toCommit(): Commit {
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
   * @returns those that changed nothing: what they were decided on never was, so they have to be decided again
   */
  failChanges(error: unknown): WaitingCall[] {
    for (const call of this.calls) if (hasChanges(call)) call.fail(error)
    return this.calls.filter((call) => !hasChanges(call))
  }

  /** Encodes now and not when the batch is committed: what cannot be encoded fails its own call and no other. */
  private apply(changes: Changes, { next, encoded = [] }: Decision<unknown>): void {
    const after = next ?? this.newest.with(changes)
    const lines = experimentsOf(changes).map((experiment, index) => ({
      position: positionIn(after, experiment),
      line: encoded[index] ?? JSON.stringify(experiment),
    }))
    for (const { position, line } of lines) {
      // Removed first, so that it stands where it changed last.
      this.lines.delete(position)
      this.lines.set(position, line)
    }
    this.newest = after
  }
}

/** Whether the call, which is decided, changes the campaign. */
export function hasChanges({ decision }: WaitingCall): boolean {
  return decision !== null && decision.changes !== null
}

function positionIn(campaign: Campaign, { exp_id }: Experiment): number {
  const position = campaign.positionOf(exp_id)
  if (position === undefined) throw new Error(`experiment ${exp_id} is not in the campaign it was put in`)
  return position
}

function experimentsOf({ changed = [], appended = [] }: Changes): readonly Experiment[] {
  return appended.length === 0 ? changed : [...changed, ...appended]
}

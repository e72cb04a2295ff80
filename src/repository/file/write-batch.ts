import type { Campaign, Decision } from '../../domain/campaign.ts'
import type { Experiment } from '../../domain/experiment.ts'
import { encodeExperiment } from '../../domain/manifest-layout.ts'
import type { ManifestBytes } from './manifest-bytes.ts'

/** One call of `update` that waits for its answer. */
export interface Waiting {
  /** Decides on the newest state; returns how to answer, and what it changed if it did. */
  readonly judge: (campaign: Campaign) => Verdict
  /** The store failed it. */
  readonly fail: (error: unknown) => void
}

export interface Verdict {
  readonly changes: Decision<unknown>['changes']
  /** Gives the caller what was decided: a result or a refusal. */
  readonly answer: () => void
}

/** What shares one commit: changes on top of each other, and the calls to be answered once it is durable. */
export class WriteBatch {
  private readonly lines = new Map<number, string>()
  private readonly changed = new Set<string>()
  private readonly calls: { readonly call: Waiting; readonly verdict: Verdict }[] = []

  private newest: Campaign

  constructor(private readonly base: Campaign) {
    this.newest = base
  }

  /** The campaign with all changes of the batch. */
  get campaign(): Campaign {
    return this.newest
  }

  /** False when it only holds calls that wait for the state that they were judged on. */
  get hasChanges(): boolean {
    return this.newest !== this.base
  }

  /** How many calls it answers. */
  get size(): number {
    return this.calls.length
  }

  get expIds(): readonly string[] {
    return [...this.changed]
  }

  /** Takes a call in: the changes that it decided, if any, and the duty to answer it. */
  add(call: Waiting, verdict: Verdict): void {
    if (verdict.changes !== null) this.apply(verdict.changes)
    this.calls.push({ call, verdict })
  }

  /** The bytes of the file with the changes of the batch. */
  bytesOn(committed: ManifestBytes): ManifestBytes {
    return committed.with(this.newest, this.lines)
  }

  /** Answers every call, in the order in which they were decided. */
  answer(): void {
    for (const { verdict } of this.calls) verdict.answer()
  }

  failAll(error: unknown): void {
    for (const { call } of this.calls) call.fail(error)
  }

  /**
   * Fails the calls whose changes did not become durable.
   * @returns those that changed nothing: what they were judged on never was, so they have to be judged anew
   */
  failChanges(error: unknown): Waiting[] {
    for (const { call, verdict } of this.calls) if (verdict.changes !== null) call.fail(error)
    return this.calls.filter(({ verdict }) => verdict.changes === null).map(({ call }) => call)
  }

  get waiting(): readonly Waiting[] {
    return this.calls.map(({ call }) => call)
  }

  /** Encodes now and not when the file is written: what cannot be encoded fails its own call and no other. */
  private apply(changes: NonNullable<Verdict['changes']>): void {
    const next = this.newest.with(changes)
    const lines = experimentsOf(changes).map((experiment): [string, number, string] => {
      const { exp_id } = experiment
      const position = next.positionOf(exp_id)
      if (position === undefined) throw new Error(`experiment ${exp_id} is not in the campaign it was put in`)
      return [exp_id, position, encodeExperiment(experiment, position)]
    })
    for (const [expId, position, line] of lines) {
      this.lines.set(position, line)
      // Anew, so that it stands where it changed last.
      this.changed.delete(expId)
      this.changed.add(expId)
    }
    this.newest = next
  }
}

function experimentsOf({ changed = [], appended = [] }: NonNullable<Verdict['changes']>): readonly Experiment[] {
  return appended.length === 0 ? changed : [...changed, ...appended]
}

import type { Campaign, Changes } from '../../domain/campaign/campaign.ts'
import type { Experiment } from '../../domain/experiment/experiment.ts'
import { encodeExperiment } from '../../domain/formats/manifest-json.ts'
import type { ManifestBytes } from '../file/encoding/manifest-bytes.ts'
import type { UpdateCall } from './update-call.ts'

/** A call, whatever it is answered with. */
export type Waiting = Pick<UpdateCall<unknown>, 'judge' | 'changes' | 'answer' | 'fail'>

/** What shares one commit: changes on top of each other, and the calls to be answered once it is durable. */
export class WriteBatch {
  /** Of the experiments that changed, by position; the one that changed last is the last one. */
  private readonly lines = new Map<number, string>()
  private readonly calls: Waiting[] = []

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

  /** Takes a judged call in: the changes that it decided, if any, and the duty to answer it. */
  add(call: Waiting): void {
    if (call.changes !== null) this.apply(call.changes)
    this.calls.push(call)
  }

  /** The bytes of the file with the changes of the batch. */
  bytesOn(committed: ManifestBytes): ManifestBytes {
    return committed.with(this.newest, this.lines)
  }

  /** Answers every call, in the order in which they were decided. */
  answer(): void {
    for (const call of this.calls) call.answer()
  }

  failAll(error: unknown): void {
    for (const call of this.calls) call.fail(error)
  }

  /**
   * Fails the calls whose changes did not become durable.
   * @returns those that changed nothing: what they were judged on never was, so they have to be judged anew
   */
  failChanges(error: unknown): Waiting[] {
    for (const call of this.calls) if (call.changes !== null) call.fail(error)
    return this.calls.filter(({ changes }) => changes === null)
  }

  get waiting(): readonly Waiting[] {
    return this.calls
  }

  /** Encodes now and not when the file is written: what cannot be encoded fails its own call and no other. */
  private apply(changes: Changes): void {
    const next = this.newest.with(changes)
    const lines = experimentsOf(changes).map((experiment) => lineIn(next, experiment))
    for (const { position, line } of lines) {
      // Anew, so that it stands where it changed last.
      this.lines.delete(position)
      this.lines.set(position, line)
    }
    this.newest = next
  }
}

function lineIn(campaign: Campaign, experiment: Experiment): { readonly position: number; readonly line: string } {
  const position = campaign.positionOf(experiment.exp_id)
  if (position === undefined) {
    throw new Error(`experiment ${experiment.exp_id} is not in the campaign it was put in`)
  }
  return { position, line: encodeExperiment(experiment, position) }
}

function experimentsOf({ changed = [], appended = [] }: Changes): readonly Experiment[] {
  return appended.length === 0 ? changed : [...changed, ...appended]
}

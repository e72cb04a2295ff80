import { ClaimQueues } from '../indexes/claim-queues.ts'
import { ExperimentSequence, hasStatus } from '../indexes/experiment-sequence.ts'
import { updateCounts, countsOf, type CampaignCounts } from '../indexes/status-counts.ts'
import { copyOfHeader, type CampaignHeader, type CampaignManifest } from './manifest.ts'
import type { Experiment } from '../experiment/experiment.ts'
import type { ExperimentStatus } from '../experiment/status.ts'

/** What one decision changes. Applying it adds one revision. */
export interface Changes {
  /** When it was decided: the campaign's new `updated_at`. */
  readonly at: string
  readonly header?: Partial<Pick<CampaignHeader, 'campaign_name' | 'config_hash' | 'settings' | 'labels'>>
  /** The new values of experiments, each once, stamped with the new revision. */
  readonly changed?: readonly Experiment[]
  /** New experiments at the end, with ids of their own. */
  readonly appended?: readonly Experiment[]
}

/** What an operation decides from a campaign: what to change (null: nothing) and what to return. */
export interface Decision<T> {
  readonly changes: Changes | null
  readonly result: T
  /** The campaign with the changes, where the decision needed it for its result: the commit need not make it again. */
  readonly next?: Campaign
  /** JSON of each of `changes.changed`, in that order, where the decision needed it: the commit need not encode it again. */
  readonly encoded?: readonly string[]
}

/**
 * An operation on a campaign, as a store runs it: pure and synchronous.
 * @param at RFC 3339, UTC: when it is decided, never before the campaign's `updated_at`
 */
export type Decide<T> = (campaign: Campaign, at: string) => Decision<T>

/** A manifest indexed for use: by id, by status, with its counts. An immutable value; `with` gives the next one. */
export class Campaign {
  private constructor(
    readonly header: CampaignHeader,
    readonly experiments: ExperimentSequence,
    readonly counts: CampaignCounts,
    /** What can be claimed. */
    readonly queues: ClaimQueues,
    /** Where each experiment stands in manifest order, by id. */
    private readonly positions: ReadonlyMap<string, number>,
  ) {}

  static of({ experiments, ...header }: CampaignManifest): Campaign {
    const positions = new Map(experiments.map(({ exp_id }, position) => [exp_id, position]))
    const sequence = ExperimentSequence.from(experiments)
    return new Campaign(header, sequence, countsOf(experiments), ClaimQueues.of(experiments), positions)
  }

  /** The revision that a decision on this campaign makes. */
  get nextRevision(): number {
    return this.header.revision + 1
  }

  /** Where the experiment stands in manifest order, from 0; undefined when there is none of that id. */
  positionOf(expId: string): number | undefined {
    return this.positions.get(expId)
  }

  get(expId: string): Experiment | undefined {
    const position = this.positionOf(expId)
    return position === undefined ? undefined : this.experiments.at(position)
  }

  /** The experiments in one of the statuses, in manifest order; passes over the others without looking at each. */
  *inStatus(...statuses: readonly ExperimentStatus[]): Generator<Experiment, void> {
    const matches = hasStatus(...statuses)
    let position = this.experiments.next(0, matches)
    while (position !== -1) {
      yield this.experiments.at(position)
      position = this.experiments.next(position + 1, matches)
    }
  }

  /** The whole manifest, as it is written. */
  toManifest(): CampaignManifest {
    return { ...this.header, experiments: [...this.experiments] }
  }

  /** The campaign after one decision: one revision on. */
  with({ at, header, changed = [], appended = [] }: Changes): Campaign {
    let { experiments, counts, queues, positions } = this
    for (const after of changed) {
      const position = this.positionOf(after.exp_id)
      if (position === undefined) throw new Error(`changes name the unknown experiment ${after.exp_id}`)
      const before = experiments.at(position)
      counts = updateCounts(counts, before, after)
      queues = queues.with(position, before, after)
      experiments = experiments.replace(position, after)
    }
    if (appended.length > 0) {
      const added = appended.map(({ exp_id }, index): [string, number] => [exp_id, this.experiments.length + index])
      positions = new Map([...this.positions, ...added])
      experiments = experiments.append(appended)
      counts = countsOf(experiments)
      queues = ClaimQueues.of(experiments)
    }
    const next = copyOfHeader(this.header)
    if (header !== undefined) Object.assign(next, header)
    next.updated_at = at
    next.revision = this.nextRevision
    next.total_experiments = experiments.length
    return new Campaign(next, experiments, counts, queues, positions)
  }
}

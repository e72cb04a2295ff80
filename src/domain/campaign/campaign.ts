import type { Experiment } from '../experiment/experiment.ts'
import type { ExperimentStatus } from '../experiment/status.ts'
import { ClaimQueues } from '../indexes/claim-queues.ts'
import { ExperimentSequence, hasStatus } from '../indexes/experiment-sequence.ts'
import { type CampaignCounts, countsOf, updateCounts } from '../indexes/status-counts.ts'
import { type CampaignHeader, type CampaignManifest, copyOfHeader } from './manifest.ts'

/** What one decision changes. Applying it adds one revision. */
export interface Changes {
  /** When it was decided: the campaign's new `updated_at`. */
  readonly at: string
  readonly header?: Partial<Pick<CampaignHeader, 'campaign_name' | 'config_hash' | 'settings' | 'labels'>>
  /** The new values of experiments, each once, with the new revision. */
  readonly changed?: readonly Experiment[]
  /** New experiments at the end, with ids of their own. */
  readonly appended?: readonly Experiment[]
}

/** What an operation decides from a campaign: what to change (null: nothing) and what to return. */
export interface Decision<T> {
  readonly changes: Changes | null
  readonly result: T
  /** The campaign with the changes, if the decision made it for its result: then the commit does not make it again. */
  readonly next?: Campaign
  /** JSON of each of `changes.changed`, in that order, if the decision made it: then the commit does not encode it again. */
  readonly encoded?: readonly string[]
}

/**
 * An operation on a campaign, as a store runs it: pure and synchronous.
 * @param at RFC 3339, UTC: when it is decided, never before the campaign's `updated_at`
 */
export type Decide<T> = (campaign: Campaign, at: string) => Decision<T>

/** A manifest with its indexes: by id, by status, counts, claim queues. An immutable value; `with` returns the next one. */
export class Campaign {
  private constructor(
    readonly header: CampaignHeader,
    readonly experiments: ExperimentSequence,
    readonly counts: CampaignCounts,
    /** What can be claimed. */
    readonly queues: ClaimQueues,
    /** Positions in manifest order, from 0, by id. */
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

  /** The position of the experiment in manifest order, from 0; undefined when there is none of that id. */
  positionOf(expId: string): number | undefined {
    return this.positions.get(expId)
  }

  get(expId: string): Experiment | undefined {
    const position = this.positionOf(expId)
    return position === undefined ? undefined : this.experiments.at(position)
  }

  /** The experiments in one of the statuses, in manifest order, without a scan of the others. */
  *inStatus(...statuses: readonly ExperimentStatus[]): Generator<Experiment, void> {
    const { experiments } = this
    const matches = hasStatus(...statuses)
    for (let at = experiments.next(0, matches); at !== -1; at = experiments.next(at + 1, matches))
      yield experiments.at(at)
  }

  /** The manifest as it is stored. */
  toManifest(): CampaignManifest {
    return { ...this.header, experiments: [...this.experiments] }
  }

  /**
   * The campaign after one decision: the next revision.
   * @throws Error when a changed experiment is not in the campaign
   */
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
      queues = ClaimQueues.of([...experiments])
    }
    const next = copyOfHeader(this.header)
    if (header !== undefined) Object.assign(next, header)
    next.updated_at = at
    next.revision = this.nextRevision
    next.total_experiments = experiments.length
    return new Campaign(next, experiments, counts, queues, positions)
  }
}

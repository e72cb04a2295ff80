import type { Experiment } from '../experiment/experiment.ts'
import type { ExperimentStatus } from '../experiment/status.ts'
import type { ClaimQueues } from '../indexes/claim-queues.ts'
import { type ExperimentSequence, lineSize } from '../indexes/experiment-sequence.ts'
import type { CampaignCounts } from '../indexes/status-counts.ts'
import { hasStatus } from '../indexes/summary.ts'
import type { WorkerRuns } from '../indexes/worker-runs.ts'
import { atOnce, isBreak, type LongWork } from '../long-work.ts'
import { type CampaignIndexes, FEW, indexesOf, rebuilt, updated, updatedInSlices } from './campaign-indexes.ts'
import { headerSize, shrinkGoal } from './campaign-size.ts'
import { type CampaignHeader, type CampaignManifest, copyOfHeader } from './manifest.ts'
import { mostToCut, shrinkExperiments, type Shrinking } from './shrink-experiments.ts'

/** What one decision changes. Applying it adds one revision. */
export interface Changes {
  /** When it was decided: the campaign's new `updated_at`. */
  readonly at: string
  readonly header?: Partial<Omit<CampaignHeader, 'updated_at' | 'revision' | 'total_experiments'>>
  /** The new values of experiments, each once, with the new revision. */
  readonly changed?: readonly Experiment[]
  /** New experiments at the end, with ids of their own. */
  readonly appended?: readonly Experiment[]
}

/** A campaign after one decision. */
export interface Revision {
  readonly campaign: Campaign
  /** JSON of the experiments that changed or are new, by position. They are given away: who commits the revision may add others. */
  readonly lines: Map<number, string>
  /** How many experiments were cut to make room. */
  readonly shrunk: number
}

/** What an operation decides from a campaign: what to change (null: nothing) and what to return. */
export interface Decision<T> {
  readonly changes: Changes | null
  readonly result: T
  /**
   * The campaign with the changes, if the decision made it for its result: then the commit does not make it again. What shows an
   * experiment that it changed takes it from there, since the campaign may have had to cut its error.
   */
  readonly next?: Revision | undefined
}

/**
 * An operation on a campaign, as a store runs it: pure. One that may have to change or read every experiment is long work; while that
 * is done, other calls of the same campaign wait.
 * @param at RFC 3339, UTC: when it is decided, never before the campaign's `updated_at`
 */
export type Decide<T> = (campaign: Campaign, at: string) => Decision<T> | LongWork<Decision<T>>

/** Bytes: that a manifest may have, and that its header has. */
interface ManifestSize {
  readonly limit: number
  readonly header: number
}

/** A decision has the indexes made anew that changes so many experiments, and more than an eighth of all. */
const MANY = 512

/** What is known of a manifest beside its content. */
export interface CampaignOptions {
  /** Bytes that the manifest may have. */
  readonly limit?: number
  /** Bytes of the line of each experiment, where they are known. */
  readonly sizes?: number[]
}

/** A manifest with its indexes: by id, by status, counts, claim queues. An immutable value; `with` returns the next one. */
export class Campaign {
  private constructor(
    readonly header: CampaignHeader,
    private indexes: CampaignIndexes,
    private readonly size: ManifestSize,
  ) {}

  static of(manifest: CampaignManifest, options: CampaignOptions = {}): Campaign {
    return atOnce(Campaign.from(manifest, options))
  }

  static *from(
    { experiments, ...header }: CampaignManifest,
    { limit = Infinity, sizes }: CampaignOptions = {},
  ): LongWork<Campaign> {
    return new Campaign(header, yield* indexesOf(experiments, sizes), { limit, header: headerSize(header) })
  }

  /** A new campaign, as a revision: of one that is imported with long errors some may be cut. */
  static *create(manifest: CampaignManifest, limit: number): LongWork<Revision> {
    const lines = new Map<number, string>()
    const sizes: number[] = []
    for (const [position, experiment] of manifest.experiments.entries()) {
      const json = JSON.stringify(experiment)
      lines.set(position, json)
      sizes.push(lineSize(json))
      if (isBreak(position)) yield
    }
    const campaign = yield* Campaign.from(manifest, { limit, sizes })
    if (campaign.bytes <= shrinkGoal(limit)) return { campaign, lines, shrunk: 0 }
    return yield* campaign.shrunk(lines, { most: Infinity, atMost: limit })
  }

  get experiments(): ExperimentSequence {
    return this.indexes.experiments
  }

  get counts(): CampaignCounts {
    return this.indexes.counts
  }

  /** What can be claimed. */
  get queues(): ClaimQueues {
    return this.indexes.queues
  }

  /** How workers ended their runs. */
  get workers(): WorkerRuns {
    const { workers, experiments } = this.indexes
    if (workers.isKnown) return workers
    // Kept: it holds for this campaign, and the next ones go on from it.
    const known = workers.known(experiments)
    this.indexes = { ...this.indexes, workers: known }
    return known
  }

  /** Bytes of its manifest; at most some fifty fewer. */
  get bytes(): number {
    return this.size.header + this.experiments.summary.bytes
  }

  /** Bytes that its manifest may have. */
  get limit(): number {
    return this.size.limit
  }

  /** The revision that a decision on this campaign makes. */
  get nextRevision(): number {
    return this.header.revision + 1
  }

  /** The position of the experiment in manifest order, from 0; undefined when there is none of that id. */
  positionOf(expId: string): number | undefined {
    return this.indexes.positions.get(expId)
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

  /** The campaign after one decision, as `revise` makes it. */
  with(changes: Changes): Campaign {
    return this.revise(changes).campaign
  }

  /** `revised`, in one go. Without a generator where it changes few experiments, as nearly every decision does. */
  revise(changes: Changes): Revision {
    const { changed = [], appended = [] } = changes
    const lines = new Map<number, string>()
    const isFew = appended.length === 0 && changed.length <= FEW
    const next = isFew ? updated(this.indexes, changed, lines) : null
    if (next === null) return atOnce(this.revised(changes))
    const grown = this.grown(changes, next)
    return grown.isRoomy ? { campaign: grown, lines, shrunk: 0 } : atOnce(this.cut(grown, lines))
  }

  /**
   * The campaign after one decision: the next revision. Where its manifest comes near its limit, errors are cut in the same revision.
   * @throws Error when a changed experiment is not in the campaign
   */
  *revised(changes: Changes): LongWork<Revision> {
    const { changed = [], appended = [] } = changes
    const lines = new Map<number, string>()
    const isMuch = appended.length > 0 || changed.length > Math.max(MANY, this.experiments.length / 8)
    const { indexes } = this
    const next =
      (isMuch ? null : yield* updatedInSlices(indexes, changed, lines)) ??
      (yield* rebuilt(indexes, { changed, appended }, lines))
    const grown = this.grown(changes, next)
    return grown.isRoomy ? { campaign: grown, lines, shrunk: 0 } : yield* this.cut(grown, lines)
  }

  private grown({ at, header }: Changes, next: CampaignIndexes): Campaign {
    const nextHeader = copyOfHeader(this.header)
    if (header !== undefined) Object.assign(nextHeader, header)
    nextHeader.updated_at = at
    nextHeader.revision = this.nextRevision
    nextHeader.total_experiments = next.experiments.length
    const size = header === undefined ? this.size : { ...this.size, header: headerSize(nextHeader) }
    return new Campaign(nextHeader, next, size)
  }

  private get isRoomy(): boolean {
    return this.bytes <= shrinkGoal(this.size.limit)
  }

  private cut(grown: Campaign, lines: Map<number, string>): LongWork<Revision> {
    return grown.shrunk(lines, { most: mostToCut(lines.size), atMost: Math.max(this.size.limit, this.bytes) })
  }

  /** Cuts errors in this very revision until there is room again, or `most` are cut and it has no more than `atMost` bytes. */
  private *shrunk(
    lines: Map<number, string>,
    { most, atMost }: Pick<Shrinking, 'most' | 'atMost'>,
  ): LongWork<Revision> {
    const { header, size } = this
    const { experiments, workers, shrunk } = yield* shrinkExperiments(this.experiments, lines, {
      most,
      atMost: atMost - size.header,
      goal: shrinkGoal(size.limit) - size.header,
      revision: header.revision,
      workers: this.indexes.workers,
    })
    // Nothing else of what is cut is counted or queued.
    return { campaign: new Campaign(header, { ...this.indexes, experiments, workers }, size), lines, shrunk }
  }
}

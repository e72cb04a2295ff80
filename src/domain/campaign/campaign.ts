import type { Experiment } from '../experiment/experiment.ts'
import type { ExperimentStatus } from '../experiment/status.ts'
import { ClaimQueues } from '../indexes/claim-queues.ts'
import { ExperimentSequence, hasStatus, lineSize } from '../indexes/experiment-sequence.ts'
import { type CampaignCounts, countsOf, updateCounts } from '../indexes/status-counts.ts'
import { headerSize, shrinkGoal } from './campaign-size.ts'
import { type CampaignHeader, type CampaignManifest, copyOfHeader } from './manifest.ts'
import { mostToCut, shrinkExperiments, type Shrinking } from './shrink-experiments.ts'

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

/** A campaign after one decision. */
export interface Revision {
  readonly campaign: Campaign
  /** JSON of the experiments that changed or are new, by position. */
  readonly lines: ReadonlyMap<number, string>
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
 * An operation on a campaign, as a store runs it: pure and synchronous.
 * @param at RFC 3339, UTC: when it is decided, never before the campaign's `updated_at`
 */
export type Decide<T> = (campaign: Campaign, at: string) => Decision<T>

/** Bytes: that a manifest may have, and that its header has. */
interface ManifestSize {
  readonly limit: number
  readonly header: number
}

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
    readonly experiments: ExperimentSequence,
    readonly counts: CampaignCounts,
    /** What can be claimed. */
    readonly queues: ClaimQueues,
    /** Positions in manifest order, from 0, by id. */
    private readonly positions: ReadonlyMap<string, number>,
    private readonly size: ManifestSize,
  ) {}

  static of({ experiments, ...header }: CampaignManifest, { limit = Infinity, sizes }: CampaignOptions = {}): Campaign {
    const positions = new Map(experiments.map(({ exp_id }, position) => [exp_id, position]))
    const sequence = ExperimentSequence.from(experiments, sizes)
    const size = { limit, header: headerSize(header) }
    return new Campaign(header, sequence, countsOf(experiments), ClaimQueues.of(experiments), positions, size)
  }

  /** A new campaign, as a revision: of one that is imported with long errors some may be cut. */
  static create(manifest: CampaignManifest, limit: number): Revision {
    const lines = new Map(manifest.experiments.map((experiment, position) => [position, JSON.stringify(experiment)]))
    const campaign = Campaign.of(manifest, { limit, sizes: Array.from(lines.values(), lineSize) })
    if (campaign.bytes <= shrinkGoal(limit)) return { campaign, lines, shrunk: 0 }
    return campaign.shrunk(lines, { most: Infinity, atMost: limit })
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

  /** The campaign after one decision, as `revise` makes it. */
  with(changes: Changes): Campaign {
    return this.revise(changes).campaign
  }

  /**
   * The campaign after one decision: the next revision. Where its manifest comes near its limit, errors are cut in the same revision.
   * @throws Error when a changed experiment is not in the campaign
   */
  revise({ at, header, changed = [], appended = [] }: Changes): Revision {
    let { experiments, counts, queues, positions } = this
    const lines = new Map<number, string>()
    for (const after of changed) {
      const position = this.positionOf(after.exp_id)
      if (position === undefined) throw new Error(`changes name the unknown experiment ${after.exp_id}`)
      const before = experiments.at(position)
      const json = JSON.stringify(after)
      counts = updateCounts(counts, before, after)
      queues = queues.with(position, before, after)
      experiments = experiments.replace(position, after, lineSize(json))
      lines.set(position, json)
    }
    if (appended.length > 0) {
      const added = appended.map(({ exp_id }, index): [string, number] => [exp_id, this.experiments.length + index])
      positions = new Map([...this.positions, ...added])
      const jsons = appended.map((experiment) => JSON.stringify(experiment))
      for (const [index, json] of jsons.entries()) lines.set(this.experiments.length + index, json)
      experiments = experiments.append(appended, jsons.map(lineSize))
      counts = countsOf(experiments)
      queues = ClaimQueues.of([...experiments])
    }
    const next = copyOfHeader(this.header)
    if (header !== undefined) Object.assign(next, header)
    next.updated_at = at
    next.revision = this.nextRevision
    next.total_experiments = experiments.length
    const size = header === undefined ? this.size : { ...this.size, header: headerSize(next) }
    const grown = new Campaign(next, experiments, counts, queues, positions, size)
    if (grown.bytes <= shrinkGoal(size.limit)) return { campaign: grown, lines, shrunk: 0 }
    return grown.shrunk(lines, { most: mostToCut(lines.size), atMost: Math.max(size.limit, this.bytes) })
  }

  /** Cuts errors in this very revision until there is room again, or `most` are cut and it has no more than `atMost` bytes. */
  private shrunk(lines: Map<number, string>, { most, atMost }: Pick<Shrinking, 'most' | 'atMost'>): Revision {
    const { header, counts, queues, positions, size } = this
    const { experiments, shrunk } = shrinkExperiments(this.experiments, lines, {
      most,
      atMost: atMost - size.header,
      goal: shrinkGoal(size.limit) - size.header,
      revision: header.revision,
    })
    // Of what is cut nothing is counted or queued.
    return { campaign: new Campaign(header, experiments, counts, queues, positions, size), lines, shrunk }
  }
}

import type { Experiment } from '../experiment/experiment.ts'
import { EXPERIMENT_STATUSES, type ExperimentStatus } from '../experiment/status.ts'
import { compareTimes } from '../timestamp.ts'

/** Log2 of the children of a node: a power of two, so that the path to a position is shifts and masks. */
const BITS = 5
const WIDTH = 1 << BITS

/** What is known of a range of experiments without reading each: enough to skip it in a search. */
export interface Summary {
  /** Which statuses occur: a bit each, see `STATUS_BIT`. */
  readonly statuses: number
  /** The earliest start among them, or null. */
  readonly earliest_start: string | null
  /** The newest revision among them; 0 when there are none. */
  readonly newest_revision: number
}

type Node = { readonly summary: Summary } & (
  { readonly items: readonly Experiment[] } | { readonly children: readonly Node[] }
)

/**
 * The experiments of a campaign in manifest order, as an immutable value: a change makes a new sequence that shares all
 * but the path to the changed one. So the committed state and the one being written are two values, and neither is copied.
 * To find the next experiment in some status costs the depth of the tree. An index with an overlay of pending changes
 * would need every search and every count twice, and copies for slow readers.
 */
export class ExperimentSequence {
  private constructor(
    private readonly root: Node,
    private readonly levels: number,
    readonly length: number,
  ) {}

  static from(experiments: readonly Experiment[]): ExperimentSequence {
    let nodes: Node[] = chunk(experiments).map(leaf)
    if (nodes.length === 0) nodes = [leaf([])]
    let levels = 0
    while (nodes.length > 1) {
      nodes = chunk(nodes).map(branch)
      levels += 1
    }
    return new ExperimentSequence(nodes[0] as Node, levels, experiments.length)
  }

  get summary(): Summary {
    return this.root.summary
  }

  /** @throws RangeError when there is no such position */
  at(position: number): Experiment {
    if (position < 0 || position >= this.length) throw new RangeError(`there is no experiment at ${position}`)
    let node = this.root
    for (let level = this.levels; 'children' in node; level -= 1) {
      node = node.children[slot(position, level)] as Node
    }
    return node.items[slot(position, 0)] as Experiment
  }

  replace(position: number, experiment: Experiment): ExperimentSequence {
    return new ExperimentSequence(replaceIn(this.root, this.levels, position, experiment), this.levels, this.length)
  }

  /** Adds at the end. Rebuilds the tree: an append carries many experiments and is rare. */
  append(experiments: readonly Experiment[]): ExperimentSequence {
    return ExperimentSequence.from([...this, ...experiments])
  }

  /**
   * The first position at or after `from` that `matches`; -1 when there is none.
   * @param matches called for ranges and for single experiments; true for a range when any experiment in it may match
   */
  next(from: number, matches: (summary: Summary) => boolean): number {
    return nextIn(this.root, this.levels, from, 0, matches)
  }

  *[Symbol.iterator](): Iterator<Experiment> {
    yield* iterate(this.root)
  }
}

/** For `next`: whether any of the statuses occurs. */
export function hasStatus(...statuses: readonly ExperimentStatus[]): (summary: Summary) => boolean {
  const wanted = statuses.reduce((bits, status) => bits | STATUS_BIT[status], 0)
  return (summary) => (summary.statuses & wanted) !== 0
}

/** For `next`: whether any changed after a revision. */
export function changedAfter(revision: number): (summary: Summary) => boolean {
  return (summary) => summary.newest_revision > revision
}

const STATUS_BIT = Object.fromEntries(EXPERIMENT_STATUSES.map((status, index) => [status, 1 << index])) as Readonly<
  Record<ExperimentStatus, number>
>

function replaceIn(node: Node, level: number, position: number, experiment: Experiment): Node {
  const at = slot(position, level)
  if ('items' in node) {
    const items = node.items.with(at, experiment)
    const alike = hasSameSummary(node.items[at] as Experiment, experiment)
    return alike ? { items, summary: withRevision(node.summary, experiment.revision) } : leaf(items)
  }
  const before = node.children[at] as Node
  const child = replaceIn(before, level - 1, position, experiment)
  const children = node.children.with(at, child)
  const { statuses, earliest_start, newest_revision } = child.summary
  const alike = before.summary.statuses === statuses && before.summary.earliest_start === earliest_start
  return alike ? { children, summary: withRevision(node.summary, newest_revision) } : branch(children)
}

type Match = (summary: Summary) => boolean

function nextIn(node: Node, level: number, from: number, offset: number, matches: Match): number {
  if (!matches(node.summary)) return -1
  const first = from > offset ? (from - offset) >>> (BITS * level) : 0
  if ('items' in node) {
    for (let at = first; at < node.items.length; at += 1) {
      if (matches(summarise(node.items[at] as Experiment))) return offset + at
    }
    return -1
  }
  for (let at = first; at < node.children.length; at += 1) {
    const found = nextIn(node.children[at] as Node, level - 1, from, offset + (at << (BITS * level)), matches)
    if (found !== -1) return found
  }
  return -1
}

function* iterate(node: Node): Generator<Experiment, void> {
  if ('items' in node) yield* node.items
  else for (const child of node.children) yield* iterate(child)
}

function slot(position: number, level: number): number {
  return (position >>> (BITS * level)) & (WIDTH - 1)
}

function leaf(items: readonly Experiment[]): Node {
  return { items, summary: sum(items.map(summarise)) }
}

/** Most changes leave all but the revision of the summaries above as they were: then none needs to be computed anew. */
function hasSameSummary(a: Experiment, b: Experiment): boolean {
  return a.status === b.status && a.started_at === b.started_at
}

/** Revisions only grow, so the newest of a range is known without reading the others. */
function withRevision({ statuses, earliest_start, newest_revision }: Summary, revision: number): Summary {
  return { statuses, earliest_start, newest_revision: Math.max(newest_revision, revision) }
}

function branch(children: readonly Node[]): Node {
  return { children, summary: sum(children.map((child) => child.summary)) }
}

function summarise(experiment: Experiment): Summary {
  return {
    statuses: STATUS_BIT[experiment.status],
    earliest_start: experiment.started_at,
    newest_revision: experiment.revision,
  }
}

function sum(summaries: readonly Summary[]): Summary {
  let statuses = 0
  let earliest_start: string | null = null
  let newest_revision = 0
  for (const summary of summaries) {
    statuses |= summary.statuses
    earliest_start = earlier(earliest_start, summary.earliest_start)
    newest_revision = Math.max(newest_revision, summary.newest_revision)
  }
  return { statuses, earliest_start, newest_revision }
}

function earlier(a: string | null, b: string | null): string | null {
  return a === null || (b !== null && compareTimes(b, a) < 0) ? b : a
}

function chunk<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / WIDTH) }, (_, at) => items.slice(at * WIDTH, (at + 1) * WIDTH))
}

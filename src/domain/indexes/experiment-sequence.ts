import type { Experiment } from '../experiment/experiment.ts'
import type { ExperimentStatus } from '../experiment/status.ts'
import type { LongWork } from '../long-work.ts'
import { hasStatus, isAlike, moved, sum, summarise, type Summary } from './summary.ts'

/** Log2 of the children of a node: a power of two, so that the path to a position is shifts and masks. */
const BITS = 5
const WIDTH = 1 << BITS

interface Leaf {
  readonly summary: Summary
  readonly items: readonly Experiment[]
  /** Bytes of the line of each. */
  readonly sizes: readonly number[]
}

interface Branch {
  readonly summary: Summary
  readonly children: readonly Node[]
}

type Node = Leaf | Branch

/** Bytes of the line of an experiment in a manifest beside its JSON: a comma, a line break and an indent of four. */
const BESIDE_JSON = 6

/** Bytes of the line of an experiment, from its JSON. */
export function lineSize(json: string): number {
  return Buffer.byteLength(json) + BESIDE_JSON
}

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

  /** @param sizes of their lines, in bytes, where they are known */
  static *from(experiments: readonly Experiment[], sizes?: readonly number[]): LongWork<ExperimentSequence> {
    let nodes: Node[] = []
    for (let at = 0; at === 0 || at < experiments.length; at += WIDTH) {
      const items = experiments.slice(at, at + WIDTH)
      nodes.push(leaf(items, sizes?.slice(at, at + WIDTH) ?? items.map(sizeOf)))
      yield
    }
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

  /** @param size of its line, in bytes */
  replace(position: number, experiment: Experiment, size = sizeOf(experiment)): ExperimentSequence {
    const root = replaceIn(this.root, this.levels, position, { experiment, size })
    return new ExperimentSequence(root, this.levels, this.length)
  }

  /** Bytes of the line of each. */
  get sizes(): Iterable<number> {
    return sizesIn(this.root)
  }

  /** Position of the experiment whose `shrinkOrder` is the least, the first of several; -1 when there is nothing to take. */
  nextToShrink(): number {
    const { shrink_order } = this.summary
    return shrink_order === Infinity ? -1 : this.next(0, (summary) => summary.shrink_order === shrink_order)
  }

  /**
   * The first position at or after `from` that `matches`; -1 when there is none.
   * @param matches called for ranges and for single experiments; true for a range when any experiment in it may match
   */
  next(from: number, matches: (summary: Summary) => boolean): number {
    return nextIn(this.root, this.levels, from, 0, matches)
  }

  /** Visits all in a status, in order: many in a fraction of the time that `next` takes. */
  each(status: ExperimentStatus, visit: Visit): void {
    eachIn(this.root, this.levels, 0, { status, visit })
  }

  *[Symbol.iterator](): Iterator<Experiment> {
    yield* iterate(this.root)
  }
}

/** An experiment in its place, and the bytes of its line. */
interface Entry {
  readonly experiment: Experiment
  readonly size: number
}

function replaceIn(node: Node, level: number, position: number, entry: Entry): Node {
  const at = slot(position, level)
  if ('items' in node) return replaceInLeaf(node, at, entry)
  const before = node.children[at] as Node
  const child = replaceIn(before, level - 1, position, entry)
  const children = node.children.with(at, child)
  const alike = isAlike(before.summary, child.summary)
  return alike ? { children, summary: moved(node.summary, before.summary, child.summary) } : branch(children)
}

function replaceInLeaf(leafBefore: Leaf, at: number, { experiment, size }: Entry): Leaf {
  const before = summarise(leafBefore.items[at] as Experiment, leafBefore.sizes[at] ?? 0)
  const after = summarise(experiment, size)
  const items = leafBefore.items.with(at, experiment)
  const sizes = leafBefore.sizes.with(at, size)
  return isAlike(before, after)
    ? { items, sizes, summary: moved(leafBefore.summary, before, after) }
    : leaf(items, sizes)
}

type Match = (summary: Summary) => boolean

function nextIn(node: Node, level: number, from: number, offset: number, matches: Match): number {
  if (!matches(node.summary)) return -1
  const first = from > offset ? (from - offset) >>> (BITS * level) : 0
  if ('items' in node) {
    for (let at = first; at < node.items.length; at += 1) {
      if (matches(summarise(node.items[at] as Experiment, node.sizes[at] ?? 0))) return offset + at
    }
    return -1
  }
  for (let at = first; at < node.children.length; at += 1) {
    const found = nextIn(node.children[at] as Node, level - 1, from, offset + (at << (BITS * level)), matches)
    if (found !== -1) return found
  }
  return -1
}

type Visit = (experiment: Experiment, position: number) => void

function eachIn(
  node: Node,
  level: number,
  offset: number,
  wanted: { readonly status: ExperimentStatus; readonly visit: Visit },
): void {
  if (!hasStatus(wanted.status)(node.summary)) return
  if ('children' in node) {
    let first = offset
    for (const child of node.children) {
      eachIn(child, level - 1, first, wanted)
      first += 1 << (BITS * level)
    }
    return
  }
  let position = offset
  for (const item of node.items) {
    if (item.status === wanted.status) wanted.visit(item, position)
    position += 1
  }
}

function* iterate(node: Node): Generator<Experiment, void> {
  if ('items' in node) yield* node.items
  else for (const child of node.children) yield* iterate(child)
}

function* sizesIn(node: Node): Generator<number, void> {
  if ('items' in node) yield* node.sizes
  else for (const child of node.children) yield* sizesIn(child)
}

function sizeOf(experiment: Experiment): number {
  return lineSize(JSON.stringify(experiment))
}

function slot(position: number, level: number): number {
  return (position >>> (BITS * level)) & (WIDTH - 1)
}

function leaf(items: readonly Experiment[], sizes: readonly number[]): Leaf {
  return { items, sizes, summary: sum(items.map((item, at) => summarise(item, sizes[at] ?? 0))) }
}

function branch(children: readonly Node[]): Branch {
  return { children, summary: sum(children.map((child) => child.summary)) }
}

function chunk<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / WIDTH) }, (_, at) => items.slice(at * WIDTH, (at + 1) * WIDTH))
}

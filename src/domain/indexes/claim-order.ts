import type { Experiment } from '../experiment/experiment.ts'
import type { LongWork } from '../long-work.ts'
import { type Claimable, claimableIn, claimableOf, isAlike, type IsWanted } from './claimable.ts'
import type { RankOrder, Ranks } from './rank-order.ts'

const BITS = 5
const WIDTH = 1 << BITS

interface Node extends Claimable {
  /** Nodes of the level below, or experiments. */
  readonly parts: readonly Part[]
}

type Part = Claimable | Node

/**
 * What can be claimed, in an order in which each group is a range: one tree, however many groups there are. To find the next
 * in a range costs the depth of the tree. Immutable: a change shares all but the path to it.
 */
export class ClaimOrder {
  private constructor(
    private readonly order: RankOrder,
    private readonly root: Node,
    private readonly levels: number,
  ) {}

  static *of(order: RankOrder, experiments: readonly Experiment[]): LongWork<ClaimOrder> {
    let nodes: Node[] = []
    for (let first = 0; first === 0 || first < order.length; first += WIDTH) {
      nodes.push(nodeOf(claimablesFrom(first, order, experiments)))
      yield
    }
    let levels = 0
    while (nodes.length > 1) {
      const below = nodes
      const length = Math.ceil(below.length / WIDTH)
      nodes = Array.from({ length }, (_, at) => nodeOf(below.slice(at * WIDTH, (at + 1) * WIDTH)))
      levels += 1
    }
    return new ClaimOrder(order, nodes[0] as Node, levels)
  }

  /** With the experiment at a position of the manifest as it is now. */
  with(position: number, experiment: Experiment): ClaimOrder {
    const rank = this.order.rankOf(position)
    const root = replacedIn(this.root, this.levels, rank, claimableOf(experiment)) as Node
    return new ClaimOrder(this.order, root, this.levels)
  }

  has({ first, end }: Ranks, isWanted: IsWanted): boolean {
    const rank = this.next(first, isWanted)
    return rank !== -1 && rank < end
  }

  /** Positions in the manifest, ascending. */
  *positions({ first, end }: Ranks, isWanted: IsWanted): Generator<number, void> {
    for (let rank = this.next(first, isWanted); rank !== -1 && rank < end; rank = this.next(rank + 1, isWanted))
      yield this.order.positionAt(rank)
  }

  private next(from: number, isWanted: IsWanted): number {
    return nextIn(this.root, this.levels, from, isWanted)
  }
}

function claimablesFrom(first: number, order: RankOrder, experiments: readonly Experiment[]): Claimable[] {
  const parts: Claimable[] = []
  const end = Math.min(first + WIDTH, order.length)
  for (let rank = first; rank < end; rank += 1) {
    parts.push(claimableOf(experiments[order.positionAt(rank)] as Experiment))
  }
  return parts
}

function nodeOf(parts: readonly Part[]): Node {
  return withParts(claimableIn(parts), parts)
}

function replacedIn(part: Part, level: number, rank: number, claimable: Claimable): Part {
  if (!('parts' in part)) return claimable
  const at = (rank >>> (BITS * level)) & (WIDTH - 1)
  const before = part.parts[at] as Part
  const after = replacedIn(before, level - 1, rank, claimable)
  const parts = part.parts.with(at, after)
  if (!isAlike(before, after)) return nodeOf(parts)
  return withParts(part, parts)
}

/** Each field by its name: a spread made other hidden classes. */
function withParts(claimable: Claimable, parts: readonly Part[]): Node {
  const { pending, failed, lost, running_failures, running_losses } = claimable
  return { pending, failed, lost, running_failures, running_losses, parts }
}

/** @param from counted from the first of the part */
function nextIn(part: Part, level: number, from: number, isWanted: IsWanted): number {
  if (!isWanted(part)) return -1
  if (!('parts' in part)) return 0
  for (let at = from >>> (BITS * level); at < part.parts.length; at += 1) {
    const start = at << (BITS * level)
    const found = nextIn(part.parts[at] as Part, level - 1, Math.max(0, from - start), isWanted)
    if (found !== -1) return start + found
  }
  return -1
}

/** 32 positions as bits, or 32 nodes of the level below; undefined: none of them is in the set. */
type Node = number | readonly (Node | undefined)[]

const BITS = 5
const WIDTH = 1 << BITS

/**
 * A set of positions in a manifest, as an immutable value: a change shares all but the path to the position. To find the
 * first member from a position on costs the depth of the tree, however many members there are.
 */
export class PositionSet {
  static readonly EMPTY = new PositionSet(undefined, 0)

  private constructor(
    private readonly root: Node | undefined,
    private readonly levels: number,
  ) {}

  static of(positions: Iterable<number>): PositionSet {
    let nodes: Node[] = []
    for (const position of positions) {
      const word = nodes[position >>> BITS] ?? 0
      nodes[position >>> BITS] = (word as number) | bitOf(position)
    }
    let levels = 0
    while (nodes.length > 1) {
      const parents: (Node | undefined)[][] = []
      nodes.forEach((node, index) => {
        const parent = (parents[index >>> BITS] ??= noChildren())
        parent[index % WIDTH] = node
      })
      nodes = parents
      levels += 1
    }
    return new PositionSet(nodes[0], levels)
  }

  get isEmpty(): boolean {
    return this.root === undefined
  }

  with(position: number): PositionSet {
    let { root, levels } = this
    while (position >= WIDTH ** (levels + 1)) {
      root = root === undefined ? undefined : noChildren().with(0, root)
      levels += 1
    }
    return new PositionSet(added(root, levels, position), levels)
  }

  without(position: number): PositionSet {
    if (position >= WIDTH ** (this.levels + 1)) return this
    return new PositionSet(removed(this.root, this.levels, position), this.levels)
  }

  /** The first member at or after the position; -1 when there is none. */
  next(from: number): number {
    return nextIn(this.root, this.levels, from)
  }

  /** Ascending. */
  *[Symbol.iterator](): Iterator<number> {
    for (let at = this.next(0); at !== -1; at = this.next(at + 1)) yield at
  }
}

function added(node: Node | undefined, level: number, position: number): Node {
  node ??= level === 0 ? 0 : noChildren()
  if (typeof node === 'number') return node | bitOf(position)
  const at = slot(position, level)
  return node.with(at, added(node[at], level - 1, position))
}

function removed(node: Node | undefined, level: number, position: number): Node | undefined {
  if (node === undefined) return undefined
  if (typeof node === 'number') {
    const bits = node & ~bitOf(position)
    return bits === 0 ? undefined : bits
  }
  const at = slot(position, level)
  const children = node.with(at, removed(node[at], level - 1, position))
  return children.every((child) => child === undefined) ? undefined : children
}

/** @param from counted from the first position below the node */
function nextIn(node: Node | undefined, level: number, from: number): number {
  if (node === undefined) return -1
  const span = WIDTH ** level
  if (typeof node === 'number') return from >= WIDTH ? -1 : lowestBit(node & (-1 << from))
  for (let at = Math.floor(from / span); at < WIDTH; at += 1) {
    const found = nextIn(node[at], level - 1, Math.max(0, from - at * span))
    if (found !== -1) return at * span + found
  }
  return -1
}

function lowestBit(bits: number): number {
  return bits === 0 ? -1 : 31 - Math.clz32(bits & -bits)
}

function slot(position: number, level: number): number {
  return Math.floor(position / WIDTH ** level) % WIDTH
}

function bitOf(position: number): number {
  return 1 << (position % WIDTH)
}

function noChildren(): (Node | undefined)[] {
  return new Array<Node | undefined>(WIDTH).fill(undefined)
}
